import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMeshroot, startMeshroot } from '../../support/meshroot.ts';
import { ownStore } from '../../support/own-store.ts';

/** One agent that many ask, our store, and the tokens that the store has given out. */

let store: Awaited<ReturnType<typeof ownStore>>;
let folder: string;

beforeAll(async () => {
  store = await ownStore();
  folder = await mkdtemp(join(tmpdir(), 'one-login-'));
  const { call } = store;
  await call('POST', 'sys/auth/approle', { type: 'approle' });
  await call('PUT', 'sys/policies/acl/reader', { policy: 'path "secret/*" { capabilities = ["read"] }' });
  await call('POST', 'auth/approle/role/app', { token_policies: ['reader'], token_ttl: '1h' });
  await call('POST', 'secret/data/app', { data: { word: 'hello' } });
  const role = await call('GET', 'auth/approle/role/app/role-id');
  const secret = await call('POST', 'auth/approle/role/app/secret-id', {});
  await writeFile(join(folder, 'role'), String(role.role_id));
  await writeFile(join(folder, 'secret'), String(secret.secret_id));
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A listener, two sinks and five templates, one of them on a path of its own. */
function configuration(): string {
  const template = (i: number): object => ({
    destination: join(folder, `file-${i}`),
    contents: `{{ with secret "secret/app${i === 0 ? '?version=1' : ''}" }}{{ .Data.data.word }}{{ end }}`,
  });
  const sink = (name: string): object => ({ type: 'file', config: { path: join(folder, name) } });
  const config = { role_id_file_path: join(folder, 'role'), secret_id_file_path: join(folder, 'secret') };
  return JSON.stringify({
    vault: { address: store.address },
    auto_auth: { method: { type: 'approle', config }, sink: [sink('.vault-token'), sink('other')] },
    listener: [{ type: 'unix', address: join(folder, 'socket') }],
    cache: { use_auto_auth_token: 'force' },
    template: [0, 1, 2, 3, 4].map(template),
  });
}

function ask(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(folder, 'socket'), path: `/v1/${path}` }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject).end();
  });
}

/** Tokens beside the root token. */
async function tokens(): Promise<number> {
  const { keys } = await store.call('GET', 'auth/token/accessors?list=true');
  return (keys as unknown[]).length - 1;
}

test('templates, sinks and callers of one agent share one login, and its hook takes that token back', async () => {
  await writeFile(join(folder, 'agent.json'), configuration());
  const agent = startMeshroot(['agent', `-config=${join(folder, 'agent.json')}`]);
  try {
    for (const i of [0, 1, 2, 3, 4]) await agent.until(new RegExp(`rendered .*file-${i}`));
    expect(await Promise.all(Array.from({ length: 10 }, () => ask('secret/data/app')))).toEqual(
      Array(10).fill(200),
    );
    const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
    expect(await file('.vault-token')).toBe(await file('other'));
    expect(await tokens()).toBe(1);

    // as the preStop hook of agent-revoke-on-shutdown says it, with the home of the agent
    const words = ['token', 'revoke', `-address=${store.address}`, '-self'];
    const hook = () => runMeshroot(words, { env: { HOME: folder } });
    expect(await hook()).toMatchObject({ code: 0, stdout: 'Success! Revoked token (if it existed)\n' });
    expect(await tokens()).toBe(0);
  } finally {
    agent.child.kill('SIGTERM');
    await agent.ended;
  }
});

test('what cannot be taken back says so', async () => {
  const env = { HOME: join(folder, 'nobody'), VAULT_ADDR: store.address };
  const run = (...words: string[]) => runMeshroot(['token', 'revoke', ...words], { env });
  expect((await run('-self')).stderr).toContain('there is no Vault token');
  const without = await run();
  expect(without.code).not.toBe(0);
  expect(without.stderr).toContain('only the own token can be revoked here');
  expect(without.stderr).toContain('meshroot token revoke -self');
});
