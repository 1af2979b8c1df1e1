import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { readConfig } from '../config/read-config.ts';
import { runAgent } from '../run-agent.ts';
import { type TestVault, testVault } from '../test-vault.ts';
import { loginSpreadMs } from './login-spread.ts';

const agents = 30;

/** Each agent's own: the first wait is over at once, any later one lasts until the agent ends. */
class OwnClock implements Clock {
  at = 0;
  #waited = false;

  now(): number {
    return this.at;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#waited) await new Promise((_, reject) => signal?.addEventListener('abort', reject));
    this.#waited = true;
    this.at += ms;
  }
}

describe('many agents that start together', () => {
  let vault: TestVault;
  let folder = '';
  beforeEach(async () => {
    vault = await testVault();
    folder = await mkdtemp(join(tmpdir(), 'spread-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
  });
  afterEach(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** When each of them logged in, milliseconds. */
  async function logins(spread: object): Promise<number[]> {
    const times: number[] = [];
    const clocks = Array.from({ length: agents }, () => new OwnClock());
    vault.answers['auth/kubernetes-c1/login'] = (body) => {
      const { role } = body as { role: string };
      times.push(clocks[Number(role.slice('app-'.length))]?.at ?? Number.NaN);
      return { status: 200, body: { auth: { client_token: 't', lease_duration: 3600, renewable: true } } };
    };
    const start = async (i: number): Promise<void> => {
      const method = {
        type: 'kubernetes',
        mount_path: 'auth/kubernetes-c1',
        config: { role: `app-${i}`, token_path: join(folder, 'jwt'), ...spread },
      };
      const sink = [{ type: 'file', config: { path: join(folder, `token-${i}`) } }];
      const file = join(folder, `${i}.json`);
      const config = {
        vault: { address: vault.address },
        exit_after_auth: true,
        auto_auth: { method, sink },
      };
      await writeFile(file, JSON.stringify(config));
      const code = await runAgent({
        config: await readConfig([file], {}),
        env: {},
        clock: clocks[i] ?? new OwnClock(),
        random: () => i / agents,
        log: silentLogger,
        verifiers: [],
        signal: AbortSignal.timeout(20_000),
      });
      expect(code).toBe(0);
    };
    await Promise.all(Array.from({ length: agents }, (_, i) => start(i)));
    return times;
  }

  test('log in over the span that login_spread says, a tenth of them in each tenth of it', async () => {
    const times = await logins({ login_spread: '10m' });
    const tenths = Array.from({ length: 10 }, (_, n) => times.filter((at) => Math.floor(at / 60_000) === n));
    expect(tenths.map(({ length }) => length)).toEqual(Array(10).fill(agents / 10));
  });

  test('log in at once without it', async () => {
    const times = await logins({});
    expect(times).toEqual(Array(agents).fill(0));
  });
});

test.each(['soon', '-5s', {}])('login_spread %j is refused', (login_spread) => {
  expect(() => loginSpreadMs({ config: { login_spread } })).toThrow(
    expect.objectContaining({ code: 'bad-agent-config', hint: 'write for example 30s' }),
  );
});
