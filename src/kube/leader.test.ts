import { describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../lib/log.ts';
import type { KubeObject } from './api.ts';
import { KubeError } from './errors.ts';
import { whileLeader } from './leader.ts';

/** Leases with the API server's check of versions, and a clock that a test moves. */
function world() {
  const leases = new Map<string, KubeObject>();
  const state = { now: 0, forbidden: false, wake: [] as (() => void)[] };
  let version = 0;
  const stored = (object: KubeObject) => {
    const made = { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } };
    leases.set(object.metadata.name, made);
    return made;
  };
  const check = () => {
    if (state.forbidden) throw new KubeError('kube-forbidden', 'leases are forbidden');
  };
  const api = {
    get: async (ref: { name: string }) => {
      check();
      return leases.get(ref.name);
    },
    create: async (object: KubeObject) => {
      if (leases.has(object.metadata.name)) throw new KubeError('kube-already-exists', 'is there');
      return stored(object);
    },
    replace: async (object: KubeObject) => {
      check();
      if (leases.get(object.metadata.name)?.metadata.resourceVersion !== object.metadata.resourceVersion)
        throw new KubeError('kube-conflict', 'changed');
      return stored(object);
    },
  };
  const clock = {
    now: () => state.now,
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted === true) return reject(new Error('aborted'));
        state.wake.push(resolve);
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  };
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 2000) {
      state.now += Math.min(2000, left);
      for (const wake of state.wake.splice(0)) wake();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return { api, clock, state, leases, pass };
}

function replica(w: ReturnType<typeof world>, identity: string) {
  const stop = new AbortController();
  const leading = { now: false, times: 0 };
  const options = {
    api: w.api,
    clock: w.clock,
    name: 'roots',
    namespace: 'istio-system',
    identity,
    log: silentLogger,
    signal: stop.signal,
  };
  const done = whileLeader(options, async (signal) => {
    Object.assign(leading, { now: true, times: leading.times + 1 });
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    leading.now = false;
  });
  return { leading, stop: () => stop.abort(), done };
}

describe('one of several replicas', () => {
  test('leads, and hands over at once when it leaves', async () => {
    const w = world();
    const a = replica(w, 'a');
    await vi.waitFor(() => expect(a.leading.now).toBe(true));
    const b = replica(w, 'b');
    await w.pass(30_000);
    expect(b.leading.now).toBe(false);
    a.stop();
    await a.done;
    expect(a.leading.now).toBe(false);
    await w.pass(2000);
    await vi.waitFor(() => expect(b.leading.now).toBe(true));
    expect(w.leases.get('roots')?.spec).toMatchObject({
      holderIdentity: 'b',
      leaseDurationSeconds: 15,
      leaseTransitions: 1,
    });
    b.stop();
    await b.done;
  });

  test('takes over from one that died, after the duration of its Lease', async () => {
    const w = world();
    const dead = {
      holderIdentity: 'dead',
      leaseDurationSeconds: 15,
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 4,
    };
    await w.api.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'roots' },
      spec: dead,
    });
    const b = replica(w, 'b');
    await w.pass(14_000);
    expect(b.leading.times).toBe(0);
    await w.pass(6000);
    await vi.waitFor(() => expect(b.leading.now).toBe(true));
    expect(w.leases.get('roots')?.spec).toMatchObject({ leaseTransitions: 5 });
    b.stop();
    await b.done;
  });

  test('stops leading when somebody took the Lease', async () => {
    const w = world();
    const a = replica(w, 'a');
    await vi.waitFor(() => expect(a.leading.now).toBe(true));
    const lease = await w.api.get({ name: 'roots' });
    await w.api.replace({ ...lease!, spec: { holderIdentity: 'thief', renewTime: 'x' } });
    await w.pass(2000);
    await vi.waitFor(() => expect(a.leading.now).toBe(false));
    a.stop();
    await a.done;
  });

  test('works without election where Leases are forbidden', async () => {
    const w = world();
    w.state.forbidden = true;
    const a = replica(w, 'a');
    await vi.waitFor(() => expect(a.leading.now).toBe(true));
    a.stop();
    await a.done;
  });
});
