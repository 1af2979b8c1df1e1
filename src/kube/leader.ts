import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { isRecord } from '../lib/records.ts';
import type { KubeApi, KubeObject } from './api.ts';

export interface LeaderOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace'>;
  readonly name: string;
  readonly namespace: string;
  /** Who we are: the pod's name, or anything that no other replica is called. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

/** As client-go's defaults: held for 15 s, renewed by 10 s, looked at every 2 s. */
const duration = 15_000;
const renewWithin = 10_000;
const retry = 2000;

/**
 * Runs `work` while this replica holds a Lease, again and again, until the signal is aborted. Whether another holder is
 * gone is told by its Lease not changing for its duration, by our own clock: clocks of nodes differ. Where Leases are
 * forbidden the work is done without election, as writing the same thing twice does no harm.
 */
export async function whileLeader(
  options: LeaderOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { clock, log, signal, name } = options;
  const seen = { mark: '', at: 0 };
  while (!signal.aborted) {
    try {
      if (await take(options, seen)) {
        log.info(`became leader of ${name}`);
        await lead(options, work);
        log.info(`no leader of ${name} any more`);
      }
    } catch (error) {
      if (codeOf(error) === 'kube-forbidden') {
        log.warn(`no right to Leases, going on without election: ${messageOf(error)}`);
        return work(signal);
      }
      log.warn(`leader election: ${messageOf(error)}`);
    }
    await clock.sleep(retry, signal).catch(() => {});
  }
}

async function lead(options: LeaderOptions, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { clock, signal, log } = options;
  const lost = new AbortController();
  const both = AbortSignal.any([signal, lost.signal]);
  const working = work(both);
  let renewed = clock.now();
  while (!both.aborted) {
    await clock.sleep(retry, both).catch(() => {});
    if (both.aborted) break;
    try {
      if (await take(options, { mark: '', at: Number.POSITIVE_INFINITY })) renewed = clock.now();
      else lost.abort();
    } catch (error) {
      log.warn(`cannot renew the Lease: ${messageOf(error)}`);
    }
    if (clock.now() - renewed > renewWithin) lost.abort();
  }
  await working;
  if (signal.aborted && !lost.signal.aborted) await release(options).catch(() => {});
}

/** Takes or renews the Lease; false when somebody else holds it or was faster. */
async function take(options: LeaderOptions, seen: { mark: string; at: number }): Promise<boolean> {
  const { api, name, namespace, identity, clock } = options;
  const now = clock.now();
  const found = await api.get({ ...type, name, namespace });
  const spec = specOf(found);
  const holder = typeof spec.holderIdentity === 'string' ? spec.holderIdentity : '';
  if (found !== undefined && holder !== '' && holder !== identity) {
    const mark = `${holder} ${spec.renewTime}`;
    if (mark !== seen.mark) Object.assign(seen, { mark, at: now });
    if (!(now - seen.at > duration)) return false;
  }
  const same = holder === identity;
  const moves = Number(spec.leaseTransitions ?? 0);
  const next = {
    holderIdentity: identity,
    leaseDurationSeconds: duration / 1000,
    acquireTime: same ? spec.acquireTime : microTime(now),
    renewTime: microTime(now),
    leaseTransitions: same || found === undefined ? moves : moves + 1,
  };
  try {
    if (found === undefined) await api.create({ ...type, metadata: { name, namespace }, spec: next });
    else await api.replace({ ...found, ...type, spec: next });
    return true;
  } catch (error) {
    if (codeOf(error) === 'kube-conflict' || codeOf(error) === 'kube-already-exists') return false;
    throw error;
  }
}

/** So that the next one need not wait until it ends. */
async function release({ api, name, namespace, identity, clock }: LeaderOptions): Promise<void> {
  const found = await api.get({ ...type, name, namespace });
  const spec = specOf(found);
  if (found === undefined || spec.holderIdentity !== identity) return;
  const next = { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
  await api.replace({ ...found, ...type, spec: next });
}

function specOf(lease: KubeObject | undefined): Record<string, unknown> {
  return isRecord(lease?.spec) ? lease.spec : {};
}

/** metav1.MicroTime */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
