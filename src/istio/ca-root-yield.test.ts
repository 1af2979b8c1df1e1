import { describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../kube/api.ts';
import { MeshrootError } from '../lib/errors.ts';
import { silentLogger } from '../lib/log.ts';
import { unlessIstiod } from './ca-root-yield.ts';

const start = Date.parse('2026-03-04T12:00:00Z');

/** istiod's lock as it writes it, renewed at `renewTime`. */
const lock = (renewTime: number, holderIdentity = 'istiod-1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'istio-namespace-controller-election',
    namespace: 'istio-system',
    annotations: {
      'control-plane.alpha.kubernetes.io/leader': JSON.stringify({
        holderIdentity,
        leaseDurationSeconds: 30,
        renewTime: new Date(renewTime).toISOString(),
        leaderTransitions: 0,
      }),
    },
  },
});

function scene(first: () => KubeObject | undefined) {
  const state = { now: start, found: first, working: false };
  let tick = () => {};
  const stop = new AbortController();
  const done = unlessIstiod(
    {
      api: { get: async () => state.found() },
      namespace: 'istio-system',
      clock: {
        now: () => state.now,
        sleep: (ms, signal) =>
          new Promise((resolve, reject) => {
            tick = () => {
              state.now += ms;
              resolve();
            };
            signal?.addEventListener('abort', () => reject(new Error('aborted')));
          }),
      },
      log: silentLogger,
      signal: stop.signal,
    },
    (signal) => {
      state.working = true;
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          state.working = false;
          resolve();
        }),
      );
    },
  );
  const end = async () => {
    stop.abort();
    await done;
  };
  return { state, tick: () => tick(), end };
}
const publishing = (state: { working: boolean }, wanted: boolean) =>
  vi.waitFor(() => expect(state.working).toBe(wanted));

describe('who writes the root into namespaces', () => {
  test('we do where istiod has no CA, not while it has one, and again when it is gone', async () => {
    const { state, tick, end } = scene(() => undefined);
    await publishing(state, true);
    state.found = () => lock(state.now);
    tick();
    await publishing(state, false);
    const last = state.now;
    state.found = () => lock(last); // it was switched off and renews no more
    for (let i = 0; i < 7; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      tick();
    }
    await publishing(state, true);
    await end();
    expect(state.working).toBe(false);
  });

  test.each([
    ['a lock that istiod gave back', () => lock(start, '')],
    ['a lock of a year ago', () => lock(start - 365 * 86_400_000)],
    [
      'a lock that cannot be read',
      () => ({
        ...lock(start),
        metadata: { name: 'x', annotations: { 'control-plane.alpha.kubernetes.io/leader': '{' } },
      }),
    ],
    [
      'no right to look',
      () => {
        throw new MeshrootError('kube-forbidden', 'no');
      },
    ],
  ])('%s holds nobody up', async (_, found) => {
    const { state, end } = scene(found);
    await publishing(state, true);
    await end();
  });

  test('one that renews its lock does', async () => {
    const { state, tick, end } = scene(() => lock(state.now));
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      tick();
    }
    expect(state.working).toBe(false);
    await end();
  });
});
