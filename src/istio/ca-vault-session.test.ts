import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VaultSession } from './ca-vault-session.ts';
import { tempFolder } from './test-mesh.ts';

const state = { now: 0, logins: 0, valid: 'none', role: '' };
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += String(part);
  const json = (status: number, answer: unknown) => response.writeHead(status).end(JSON.stringify(answer));
  if (request.url === '/v1/auth/kubernetes-c1/login') {
    state.role = (JSON.parse(body) as { role: string; jwt: string }).role;
    state.valid = `t${++state.logins}`;
    return void json(200, {
      request_id: 'r',
      auth: { client_token: state.valid, lease_duration: 60, policies: [] },
    });
  }
  if (request.headers['x-vault-token'] !== state.valid)
    return void json(403, { errors: ['permission denied'] });
  json(200, { request_id: 'r', data: { token: state.valid } });
});
let folder: Awaited<ReturnType<typeof tempFolder>>;
beforeAll(async () => {
  folder = await tempFolder();
  await writeFile(join(folder.path, 'jwt'), 'a.b.c\n');
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await folder.remove();
});

function session(jwtFile: string) {
  return new VaultSession({
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    login: { authPath: 'kubernetes-c1', role: 'istiod', jwtFile },
    clock: { now: () => state.now, sleep: async () => {} },
  });
}

test('logs in once for many calls, again at two thirds of the token’s life, and when Vault takes it away', async () => {
  const vault = session(join(folder.path, 'jwt'));
  await Promise.all([vault.read('x'), vault.read('x'), vault.read('x')]);
  expect(state).toMatchObject({ logins: 1, role: 'istiod' });
  state.now = 39_000;
  await vault.read('x');
  expect(state.logins).toBe(1);
  state.now = 41_000;
  await vault.read('x');
  expect(state.logins).toBe(2);
  state.valid = 'revoked';
  expect((await vault.read('x'))?.data).toEqual({ token: 't3' });
  vault.close();
});

test('a service-account token that cannot be read is said by its path, not shown', async () => {
  const path = join(folder.path, 'nothing');
  await expect(session(path).read('x')).rejects.toMatchObject({
    code: 'vault-login',
    message: `cannot read ${path}: ENOENT`,
  });
});
