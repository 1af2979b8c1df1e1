import { UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { withinWindow } from './ca-revocation-window.ts';
import type { TokenVerdict } from './ca-token-review.ts';

const minute = 60_000;
const start = Date.parse('2026-03-04T12:00:00Z');
const made = (at: number) => new UnsecuredJWT({}).setIssuedAt(new Date(at)).encode();
const yes: TokenVerdict = { authenticated: true, username: 'system:serviceaccount:a:b', groups: [] };
const no: TokenVerdict = { ...yes, authenticated: false, error: 'the pod is gone' };

/** A window of ten minutes; `cluster` is what the API server would say. */
function scene(local: TokenVerdict = yes) {
  const state = { now: start, asked: 0, cluster: yes };
  const review = withinWindow({
    local: async () => local,
    cluster: async () => {
      state.asked += 1;
      return state.cluster;
    },
    window: 10 * minute,
    clock: { now: () => state.now, sleep: () => new Promise<void>(() => {}) },
  });
  return { state, ask: (token: string) => review(token, ['istio-ca']) };
}

test('a new token counts by itself, and its verdict is believed no longer than the window', async () => {
  const { state, ask } = scene();
  expect(await ask(made(start - minute))).toMatchObject({
    authenticated: true,
    expiresAt: start + 9 * minute,
  });
  expect(state.asked).toBe(0);
});

test('an older one is asked about once in a window, and is refused when it was revoked', async () => {
  const { state, ask } = scene();
  const token = made(start - 11 * minute);
  await ask(token);
  state.cluster = no;
  state.now = start + 9 * minute;
  expect(await ask(token)).toMatchObject({ authenticated: true });
  expect(state.asked).toBe(1);
  state.now = start + 10 * minute;
  expect(await ask(token)).toMatchObject({ authenticated: false, error: 'the pod is gone' });
});

test.each([
  ['without a time of issue', new UnsecuredJWT({}).encode()],
  ['from the future', made(start + 5 * minute)],
])('one %s is always asked about', async (_, token) => {
  const { state, ask } = scene();
  await ask(token);
  expect(state.asked).toBe(1);
});

test('what is wrong by itself is refused without asking anybody', async () => {
  const { state, ask } = scene(no);
  expect(await ask(made(start - 11 * minute))).toEqual(no);
  expect(state.asked).toBe(0);
});
