/**
 * Kills the store with SIGKILL at random instants while eight writers change it, and looks after each restart whether
 * everything that was acknowledged is there and nothing is half there.
 *
 * npm run test:crash [-- --rounds 200] [--seed 1]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { VaultClient } from '../src/client/vault-client.ts';
import { Secret } from '../src/lib/secret.ts';
import { CrashJournal, writeLane } from './crash-journal.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const rounds = Number(values.rounds);
const bin = new URL('../bin/meshroot', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'crash-'));

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

async function start(): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [bin, 'vault', 'server', `-config=${folder}/vault.hcl`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const address = /listening: address=(\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stderr.resume();
    return { child, address };
  }
  throw new Error(`the store did not start again (exit ${child.exitCode})`);
}

async function round(
  made: { key: string; token: Secret<string> },
  journal: CrashJournal,
  killAfter: number,
): Promise<void> {
  const { child, address } = await start();
  const client = new VaultClient({ address, token: made.token, retries: 0 });
  await client.write('sys/unseal', { key: made.key });
  await journal.check(client);
  const gone = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), killAfter);
  await Promise.all(Array.from({ length: 8 }, (_, lane) => writeLane(client, journal, lane)));
  await gone;
  clearTimeout(timer);
  client.close();
}

async function initialise(): Promise<{ key: string; token: Secret<string> }> {
  const { child, address } = await start();
  const client = new VaultClient({ address });
  const { body } = await client.request('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  const { keys_base64, root_token } = body as { keys_base64: string[]; root_token: string };
  const key = keys_base64[0] ?? '';
  await client.write('sys/unseal', { key });
  await client.withToken(new Secret(root_token)).write('sys/mounts/kv', { type: 'kv' });
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  return { key, token: new Secret(root_token) };
}

writeFileSync(
  join(folder, 'vault.hcl'),
  `listener "tcp" {\n  address = "127.0.0.1:0"\n  tls_disable = true\n}\nstorage "lmdb" { path = "${folder}/data" }\n`,
);
try {
  const random = randomOf(Number(values.seed));
  const made = await initialise();
  const journal = new CrashJournal();
  for (let i = 1; i <= rounds; i++) {
    await round(made, journal, 5 + random() * 250);
    if (i % 20 === 0)
      process.stderr.write(`  ${i} kills, ${journal.size} acknowledged changes, all there so far\n`);
  }
  const { child, address } = await start();
  const client = new VaultClient({ address, token: made.token, retries: 0 });
  await client.write('sys/unseal', { key: made.key });
  await journal.checkAll(client);
  child.kill('SIGTERM');
  await once(child, 'exit');
  process.stdout.write(`${rounds} kills, ${journal.size} acknowledged changes, none lost, none half there\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
