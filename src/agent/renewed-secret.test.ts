import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type TestAgent, testAgent } from './test-agent.ts';
import { type TestVault, testVault } from './test-vault.ts';

let vault: TestVault;
let agent: TestAgent;
/** A hundred times as fast. */
const clock: Clock = {
  now: () => systemClock.now() * 100,
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
};
beforeEach(async () => {
  vault = await testVault();
  agent = await testAgent(() => vault.address);
});
afterEach(async () => {
  await agent.remove();
  await vault.close();
});

test('a lease and a token that a template asked for are renewed, and made anew when they cannot be any more', async () => {
  let made = 0;
  const lease = { lease_id: 'db/creds/app/1', lease_duration: 20, renewable: true };
  vault.answers['db/creds/app'] = () => ({ status: 200, body: { ...lease, data: { n: `${++made}` } } });
  vault.answers['sys/leases/renew'] = () =>
    made < 2 ? { status: 200, body: lease } : { status: 400, body: { errors: ['gone'] } };
  const auth = { client_token: 'child', lease_duration: 20, renewable: true };
  vault.answers['auth/token/create'] = () => ({ status: 200, body: { auth } });
  const renewals: unknown[] = [];
  vault.answers['auth/token/renew-self'] = (_, headers) => {
    renewals.push(headers['x-vault-token']);
    return { status: 200, body: { auth: { ...auth, lease_duration: 3600 } } };
  };
  const template = (name: string, text: string): string =>
    `template { destination = "${agent.folder}/${name}" contents = "${text}" }\n`;
  void agent.run(
    template('a', '{{ with secret \\"db/creds/app\\" }}{{ .Data.n }}{{ end }}') +
      template(
        'b',
        '{{ with secret \\"auth/token/create\\" \\"ttl=20s\\" }}{{ .Auth.ClientToken }}{{ end }}',
      ),
    clock,
  );
  const count = (request: string): number => vault.requests.filter((r) => r === request).length;
  await agent.until(() => count('PUT sys/leases/renew') > 1 && renewals.includes('child'));
  expect([made, count('PUT auth/token/create')]).toEqual([1, 1]);
  made = 2; // and from now on the store knows nothing of that lease
  await agent.until(() => made === 3);
  await agent.until(async () => (await agent.file('a')) === '3');
  expect(await agent.file('b')).toBe('child');
});
