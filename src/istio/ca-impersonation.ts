import type { KubeApi, KubeObject } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import type { Caller } from './ca-authenticate.ts';
import { CaRefusal } from './ca-refusal.ts';
import type { SpiffeIdentity } from './identity.ts';
import { inTime } from './in-time.ts';

/** Resolves to why `caller` may not ask for `identity`, or undefined when it may; told by `until` (ms since the epoch). */
export type MayImpersonate = (
  caller: Caller,
  identity: SpiffeIdentity,
  until?: number,
) => Promise<string | undefined>;

export interface NodeAuthorizerOptions {
  readonly api: Pick<KubeApi, 'get' | 'list'>;
  /** `namespace/account` of those that may ask for the pods of their node (CA_TRUSTED_NODE_ACCOUNTS). */
  readonly trusted: ReadonlySet<string>;
  readonly clock: Clock;
  /** How long a good answer is believed, in ms. */
  readonly ttl?: number;
  readonly deadline?: number;
}

/**
 * istiod's node authorizer: a trusted account, from a pod that exists with the same uid and account, may ask for an
 * identity of which a pod runs on the same node. Refusals are never kept: a pod may have started a moment ago.
 */
export function nodeAuthorizer(options: NodeAuthorizerOptions): MayImpersonate {
  const { api, trusted, clock, ttl = 5000, deadline = 5000 } = options;
  const granted = new Map<string, number>();

  const judge = async (caller: Caller, wanted: SpiffeIdentity): Promise<string | undefined> => {
    const { account, pod } = caller;
    if (account === undefined || pod === undefined) return 'the caller did not prove a pod of its own';
    const own = await api.get({ ...podType, namespace: account.namespace, name: pod.name });
    if (own === undefined) return `pod ${account.namespace}/${pod.name} of the caller is not there`;
    if (own.metadata.uid !== pod.uid) return `pod ${account.namespace}/${pod.name} is another one by now`;
    const { node, serviceAccount } = factsOf(own);
    if (serviceAccount !== account.serviceAccount) return 'the pod of the caller has another account';
    if (node === undefined) return 'the pod of the caller is on no node';
    const there = await api.list(podType, {
      namespace: wanted.namespace,
      fieldSelector: `spec.nodeName=${node}`,
    });
    const found = there
      .map(factsOf)
      .some(
        (one) => one.node === node && one.serviceAccount === wanted.serviceAccount && one.phase !== 'Failed',
      );
    return found ? undefined : `no pod of ${wanted.namespace}/${wanted.serviceAccount} is on node ${node}`;
  };

  return async (caller, wanted, until = Number.POSITIVE_INFINITY) => {
    const { account, pod } = caller;
    const name = `${account?.namespace}/${account?.serviceAccount}`;
    if (!trusted.has(name)) return `${name} is not one of CA_TRUSTED_NODE_ACCOUNTS`;
    const key = `${pod?.uid} ${wanted.namespace}/${wanted.serviceAccount}`;
    if ((granted.get(key) ?? 0) > clock.now()) return undefined;
    const left = Math.min(deadline, until - clock.now());
    const reason = await inTime(judge(caller, wanted), clock, left).catch((error: unknown) => {
      throw unavailable(error);
    });
    if (reason !== undefined) return reason;
    if (granted.size >= 10_000) granted.clear();
    granted.set(key, clock.now() + ttl);
    return undefined;
  };
}

const podType = { apiVersion: 'v1', kind: 'Pod' } as const;

function factsOf(pod: KubeObject) {
  const spec = isRecord(pod.spec) ? pod.spec : {};
  const status = isRecord(pod.status) ? pod.status : {};
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? value : undefined;
  return {
    node: text(spec.nodeName),
    serviceAccount: text(spec.serviceAccountName),
    phase: text(status.phase),
  };
}

function unavailable(error: unknown): CaRefusal {
  const reason = error instanceof MeshrootError ? `${error.code}: ${error.message}` : messageOf(error);
  return new CaRefusal('reviewer-unavailable', 'the pods of the node cannot be looked up, try again', reason);
}
