import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { open } from 'lmdb';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/log.ts';
import { expireDue } from '../src/vault/core/expire.ts';
import { openLmdbPhysical } from '../src/vault/core/physical-lmdb.ts';
import type { Services } from '../src/vault/core/services.ts';
import type { Transaction } from '../src/vault/core/storage.ts';
import { VaultCore } from '../src/vault/core/vault-core.ts';
import { testCatalogue } from '../src/vault/test-core.ts';
import type { LeaseStep } from './lib/lease-steps.ts';

/** What comes by stdin. */
export interface FillOrder {
  readonly folder: string;
  /** Tokens, each with its lease. */
  readonly count: number;
  /** Measures these afterwards. */
  readonly steps: boolean;
}

/** What goes out. */
export interface Filled {
  readonly key: string;
  readonly rootToken: string;
  /** Microseconds of CPU time each. */
  readonly micros: Readonly<Record<LeaseStep, number>> | undefined;
  /** Of the file. */
  readonly bytes: number;
}

/** Few big commits: the times at which the leases end are in random order. */
const perCommit = 10_000;
const measured = 2000;
const perStep = 100;
const hour = 3_600_000;

const order = JSON.parse(await text(process.stdin)) as FillOrder;
const file = join(order.folder, 'store.mdb');
/** Its loops never turn: what is measured is not done by somebody else meanwhile. */
const clock = { now: systemClock.now, sleep: () => new Promise<void>(() => {}) };
const opened = (): VaultCore =>
  new VaultCore({ physical: openLmdbPhysical(order.folder), clock, catalogue: testCatalogue() });
const first = opened();
const { shares, rootToken } = await first.init({ shares: 1, threshold: 1 });
const key = shares[0]?.toString('base64') ?? '';

async function unsealed(core: VaultCore): Promise<Services> {
  for (const share of shares) await core.unseal(Buffer.from(share));
  if (core.services === undefined) throw new Error('the store did not open');
  return core.services;
}

let services = await unsealed(first);

/** Stages a token; its lease's id. */
function make(transaction: Transaction): string {
  const wanted = {
    policies: ['default', 'istiod-certs-cluster1'],
    path: 'auth/kubernetes-cluster1/login',
    meta: { role: 'istiod', service_account_name: 'istiod', service_account_namespace: 'istio-system' },
    displayName: 'kubernetes-cluster1-istio-system-istiod',
    numUses: 0,
    parent: '',
    ttl: hour + Math.floor(Math.random() * hour),
    explicitMaxTtl: 0,
    period: 0,
    renewable: true,
    boundCidrs: [],
    role: 'istiod',
  };
  return services.tokens.create(transaction, wanted, services.leases.now()).entry.leaseId;
}

/** CPU time of all threads, many in one commit: the disk's time depends on who else uses it. */
async function each(items: readonly string[], work: (t: Transaction, id: string) => void) {
  const began = process.cpuUsage();
  for (let from = 0; from < items.length; from += perStep) {
    const transaction = services.storage.begin(true);
    for (const id of items.slice(from, from + perStep)) work(transaction, id);
    await transaction.commit();
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / items.length;
}

async function measure(): Promise<Record<LeaseStep, number>> {
  const { tokens, leases } = services;
  const ids: string[] = [];
  const slots = Array.from({ length: measured }, () => '');
  const create = await each(slots, (transaction) => ids.push(make(transaction)));
  const lookup = await each(ids, (transaction, id) => leases.get(id, transaction));
  const renew = await each(ids, (transaction, id) => {
    const lease = leases.get(id, transaction);
    if (lease !== undefined) leases.put(transaction, { ...lease, expires: lease.expires + hour });
  });
  const expired = ids.splice(0, measured / 2);
  await each(expired, (transaction, id) => {
    const lease = leases.get(id, transaction);
    if (lease !== undefined) leases.put(transaction, { ...lease, expires: 1 });
  });
  const end = (transaction: Transaction, id: string): void => {
    const lease = leases.get(id, transaction);
    if (lease !== undefined) tokens.revoke(transaction, lease.tokenKey);
  };
  const revoke = await each(ids, end);
  const began = process.cpuUsage();
  let ended = 0;
  for (let n = 1; n > 0; ended += n) n = await expireDue(services, silentLogger);
  const { user, system } = process.cpuUsage(began);
  const expire = (user + system) / Math.max(ended, 1);
  return { create, lookup, renew, revoke, expire };
}

/** Big commits leave big lists of free pages, which every later one carries along: no store in use has such. */
async function compact(): Promise<void> {
  const whole = open({ path: file, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false });
  await whole.backup(`${file}-compact`, true);
  await whole.close();
  renameSync(`${file}-compact`, file);
  // A copy has one head page that is written; a store has two of one history.
  const copy = open({ path: file, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false });
  copy.putSync(Buffer.from('compacted'), Buffer.alloc(0));
  copy.removeSync(Buffer.from('compacted'));
  await copy.close();
}

for (let made = 0; made < order.count; made += perCommit) {
  const transaction = services.storage.begin(false);
  for (let i = 0; i < Math.min(perCommit, order.count - made); i++) make(transaction);
  await transaction.commit();
}
let micros: Filled['micros'];
if (order.steps) {
  await sleep(100); // lmdb does not bear to be closed while its reader waits to be put back
  await first.close();
  await compact();
  const core = opened();
  services = await unsealed(core);
  micros = await measure();
  await core.close();
} else await first.close();
const bytes = statSync(file).size;
process.stdout.write(`${JSON.stringify({ key, rootToken, micros, bytes } satisfies Filled)}\n`);
