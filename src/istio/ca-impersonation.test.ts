import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../kube/api.ts';
import type { Caller } from './ca-authenticate.ts';
import { nodeAuthorizer } from './ca-impersonation.ts';

const pod = (
  name: string,
  o: { namespace: string; sa: string; node?: string; uid?: string; phase?: string },
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: o.namespace, uid: o.uid ?? name },
  spec: { serviceAccountName: o.sa, ...(o.node === undefined ? {} : { nodeName: o.node }) },
  status: { phase: o.phase ?? 'Running' },
});
const ztunnel: Caller = {
  uris: ['spiffe://cluster.local/ns/istio-system/sa/ztunnel'],
  via: 'token',
  clusterId: 'c1',
  account: { namespace: 'istio-system', serviceAccount: 'ztunnel' },
  pod: { name: 'z1', uid: 'z1' },
};
const shop = { trustDomain: 'cluster.local', namespace: 'demo', serviceAccount: 'shop' };

function authorizer(pods: KubeObject[], state: { now?: number; down?: boolean; calls?: number } = {}) {
  const ask = () => {
    state.calls = (state.calls ?? 0) + 1;
    if (state.down === true) throw new Error('no route');
  };
  return nodeAuthorizer({
    trusted: new Set(['istio-system/ztunnel']),
    clock: {
      now: () => state.now ?? 0,
      sleep: (_ms, signal) =>
        new Promise((_, no) => signal?.addEventListener('abort', () => no(new Error()))),
    },
    api: {
      get: async (ref) => {
        ask();
        return pods.find(
          ({ metadata }) => metadata.name === ref.name && metadata.namespace === ref.namespace,
        );
      },
      list: async (_type, selection) => {
        ask();
        return pods.filter(({ metadata }) => metadata.namespace === selection?.namespace); // the field selector is a hint
      },
    },
  });
}
const z1 = pod('z1', { namespace: 'istio-system', sa: 'ztunnel', node: 'n1' });
const s1 = pod('s1', { namespace: 'demo', sa: 'shop', node: 'n1' });

describe('a node that asks for its pods', () => {
  test('may ask for an account that runs there', async () => {
    expect(await authorizer([z1, s1])(ztunnel, shop)).toBeUndefined();
  });

  test.each([
    [
      'of an account that is not trusted',
      [z1, s1],
      { ...ztunnel, account: { namespace: 'demo', serviceAccount: 'ztunnel' } },
      'demo/ztunnel is not one of CA_TRUSTED_NODE_ACCOUNTS',
    ],
    [
      'by certificate',
      [z1, s1],
      { uris: ztunnel.uris, via: 'certificate', clusterId: 'c1' },
      'undefined/undefined is not one of CA_TRUSTED_NODE_ACCOUNTS',
    ],
    [
      'without a bound pod',
      [z1, s1],
      { ...ztunnel, pod: undefined },
      'the caller did not prove a pod of its own',
    ],
    ['from a pod that is gone', [s1], ztunnel, 'pod istio-system/z1 of the caller is not there'],
    [
      'from a pod of another uid',
      [pod('z1', { namespace: 'istio-system', sa: 'ztunnel', node: 'n1', uid: 'new' }), s1],
      ztunnel,
      'pod istio-system/z1 is another one by now',
    ],
    [
      'from a pod of another account',
      [pod('z1', { namespace: 'istio-system', sa: 'other', node: 'n1' }), s1],
      ztunnel,
      'the pod of the caller has another account',
    ],
    [
      'from a pod on no node',
      [pod('z1', { namespace: 'istio-system', sa: 'ztunnel' }), s1],
      ztunnel,
      'the pod of the caller is on no node',
    ],
    [
      'for a pod of another node',
      [z1, pod('s1', { namespace: 'demo', sa: 'shop', node: 'n2' })],
      ztunnel,
      'no pod of demo/shop is on node n1',
    ],
    [
      'for a pod that failed',
      [z1, pod('s1', { namespace: 'demo', sa: 'shop', node: 'n1', phase: 'Failed' })],
      ztunnel,
      'no pod of demo/shop is on node n1',
    ],
  ] as const)('is refused %s', async (_, pods, caller, reason) => {
    expect(await authorizer([...pods])(caller as Caller, shop)).toBe(reason);
  });

  test('is believed for five seconds and asked again after', async () => {
    const state = { now: 0, calls: 0 };
    const may = authorizer([z1, s1], state);
    await may(ztunnel, shop);
    await may(ztunnel, shop);
    expect(state.calls).toBe(2);
    state.now = 5001;
    await may(ztunnel, shop);
    expect(state.calls).toBe(4);
  });

  test('is told to come back when the API server is away', async () => {
    await expect(authorizer([z1], { down: true })(ztunnel, shop)).rejects.toMatchObject({
      code: 'reviewer-unavailable',
      grpcCode: 14,
      message: 'the pods of the node cannot be looked up, try again',
    });
  });
});
