import { randomUUID } from 'node:crypto';
import type { VaultClient } from '../src/client/vault-client.ts';
import { Secret } from '../src/lib/secret.ts';
import type { CrashJournal } from './crash-journal.ts';

/**
 * Writes until the store is gone. Each lane has paths of its own, so that the last acknowledged value is known.
 * @param first of its changes: few of them fit between two kills
 */
export async function writeLane(
  client: VaultClient,
  journal: CrashJournal,
  lane: number,
  first: number,
): Promise<void> {
  try {
    for (let i = first; ; i++) await oneChange(client, journal, lane, i);
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
}

/** In turn: a mount, tokens, a policy, and else values. */
async function oneChange(client: VaultClient, journal: CrashJournal, lane: number, i: number): Promise<void> {
  if (i % 25 === 24) return changeMount(client, journal, lane, i % 50 === 49);
  if (i % 10 === 9) return changeTokens(client, journal, i % 20 === 19);
  if (i % 10 === 4) {
    const name = `p-${lane}-${i % 40}`;
    const policy = `path "kv/${randomUUID()}" {\n  capabilities = ["read"]\n}\n`;
    return journal.write(`p:${name}`, policy, () => client.write(`sys/policies/acl/${name}`, { policy }));
  }
  const name = `${lane}/${i % 40}`;
  const value = randomUUID();
  if (i % 2 === 0)
    return journal.write(`1:${name}`, value, () => client.write(`kv/${name}`, { a: value, b: value }));
  return journal.write(`2:${name}`, value, () =>
    client.write(`kv2/data/${name}`, { data: { a: value, pad: value.repeat(50) } }),
  );
}

/** A mount with something in it, which goes with it. */
async function changeMount(
  client: VaultClient,
  journal: CrashJournal,
  lane: number,
  end: boolean,
): Promise<void> {
  const name = `m-${lane}-${randomUUID().slice(0, 8)}`;
  await client.write(`sys/mounts/${name}`, { type: 'kv' });
  const mount = journal.noteMount(name);
  for (let i = 0; i < 3; i++) await client.write(`${name}/${i}`, { a: 'x' });
  if (end) await journal.end(mount, () => client.delete(`sys/mounts/${name}`));
}

/** A token with a child and a cubbyhole, which end with it. */
async function changeTokens(client: VaultClient, journal: CrashJournal, end: boolean): Promise<void> {
  const wanted = { policies: ['root'], ttl: '1h' };
  const token = tokenIn(await client.write('auth/token/create', wanted));
  const own = client.withToken(new Secret(token));
  await own.write('cubbyhole/a', { a: 'x' });
  const child = tokenIn(await own.write('auth/token/create', wanted));
  const family = journal.noteFamily(token, child);
  if (end) await journal.end(family, () => own.write('auth/token/revoke-self', {}));
}

const tokenIn = (answer: Awaited<ReturnType<VaultClient['write']>>): string =>
  answer?.auth?.client_token ?? '';

/** No answer: killed. Anything that the store did answer is not expected here. */
function isGone(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'vault-unreachable';
}
