import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VaultClient } from '../../../src/client/vault-client.ts';
import { Secret } from '../../../src/lib/secret.ts';

const bin = new URL('../../../bin/meshroot', import.meta.url).pathname;

let folder = '';
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'durable-'));
  writeFileSync(
    join(folder, 'vault.hcl'),
    `listener "tcp" { address = "127.0.0.1:0" tls_disable = true }\nstorage "lmdb" { path = "${folder}/data" }\n`,
  );
});

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the server and gives its address as soon as it says that it is ready. */
async function start(): Promise<string> {
  const server = spawn(bin, ['vault', 'server', `-config=${folder}/vault.hcl`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = server;
  for await (const line of createInterface({ input: server.stderr })) {
    const address = /listening: address=(\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      server.stderr.resume();
      return address;
    }
  }
  throw new Error('the server did not start');
}

async function kill(): Promise<void> {
  if (child === undefined || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('kill -9 loses no acknowledged write, and nothing is half there after unsealing', async () => {
  const first = new VaultClient({ address: await start() });
  const made = (await first.write('sys/init', { secret_shares: 3, secret_threshold: 2 }))?.data as {
    keys_base64: string[];
    root_token: string;
  };
  const unseal = async (client: VaultClient): Promise<void> => {
    for (const key of made.keys_base64.slice(0, 2)) await client.write('sys/unseal', { key });
  };
  await unseal(first);
  const root = new Secret(made.root_token);
  const writer = first.withToken(root);
  await writer.write('sys/mounts/kv', { type: 'kv' });
  const acknowledged: number[] = [];
  const tokens: string[] = [];
  const work = async (lane: number): Promise<void> => {
    for (let i = lane; ; i += 8) {
      await writer.write(`kv/${i}`, { value: `v${i}` });
      acknowledged.push(i);
      // Counted, not timed: the other lanes are in the middle of something however slow the machine is.
      if (acknowledged.length === 200) child?.kill('SIGKILL');
      if (i % 10 !== 0) continue;
      const answer = await writer.write('auth/token/create', { policies: ['default'], ttl: '1h' });
      if (answer?.auth) tokens.push(answer.auth.client_token);
    }
  };
  await Promise.allSettled(Array.from({ length: 8 }, (_, lane) => work(lane)));
  await kill();
  expect(acknowledged.length).toBeGreaterThanOrEqual(200);

  const second = new VaultClient({ address: await start() });
  expect((await second.read('sys/seal-status'))?.data?.sealed).toBe(true);
  await unseal(second);
  const reader = second.withToken(root);
  const lost: number[] = [];
  for (const i of acknowledged) {
    if ((await reader.read(`kv/${i}`))?.data?.value !== `v${i}`) lost.push(i);
  }
  expect(lost).toEqual([]);
  for (const token of tokens) {
    const self = await second.withToken(new Secret(token)).read('auth/token/lookup-self');
    expect(self?.data?.renewable).toBe(true);
  }
});

test('what ended while it was killed is dead when it is open again, and its children with it', async () => {
  const first = new VaultClient({ address: await start() });
  const made = (await first.write('sys/init', { secret_shares: 1, secret_threshold: 1 }))?.data as {
    keys_base64: string[];
    root_token: string;
  };
  await first.write('sys/unseal', { key: made.keys_base64[0] });
  const create = async (client: VaultClient, ttl: string): Promise<Secret<string>> => {
    const answer = await client.write('auth/token/create', { policies: ['root'], ttl });
    return new Secret(answer?.auth?.client_token ?? '');
  };
  const parent = await create(first.withToken(new Secret(made.root_token)), '1s');
  const child = await create(first.withToken(parent), '1h');
  const end = Date.now() + 1000;
  await kill();
  const second = new VaultClient({ address: await start() });
  await expect.poll(() => Date.now(), { timeout: 5000 }).toBeGreaterThan(end);
  await second.write('sys/unseal', { key: made.keys_base64[0] });
  const self = (token: Secret<string>): Promise<unknown> =>
    second.withToken(token).read('auth/token/lookup-self');
  await expect(self(parent)).rejects.toMatchObject({ status: 403 });
  await expect
    .poll(() =>
      self(child).then(
        () => 200,
        (error: { status: number }) => error.status,
      ),
    )
    .toBe(403);
});

test('a second server on the same storage is refused with a way out', async () => {
  await start();
  const other = spawn(bin, ['vault', 'server', `-config=${folder}/vault.hcl`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  other.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await once(other, 'close');
  expect(code).toBe(2);
  expect(text).toMatch(/data is in use by process \d+ {6}stop that server, or name another storage path/);
});
