import { describe, expect, test } from 'vitest';
import { VaultClient } from '../client/vault-client.ts';
import { VaultError } from '../client/vault-error.ts';
import type { Clock } from '../lib/clock.ts';
import { takeApplyLock } from './apply-lock.ts';

const refused = (path: string, why: string) =>
  new VaultError({ method: 'PUT', path, status: 400, errors: [why] });

/** A Vault with one entry by check-and-set; every call takes a turn of the loop. */
class OneEntryVault extends VaultClient {
  mounted = false;
  version = 0;
  data: unknown = undefined;
  /** What happens to the next write of the entry instead of an answer. */
  next: 'lost before' | 'lost after' | undefined;

  constructor() {
    super({ address: 'http://one-entry.invalid' });
  }

  override async read(path: string) {
    await Promise.resolve();
    if (path === 'sys/mounts') return { data: this.mounted ? { 'meshroot-state/': {} } : {} } as never;
    return (
      this.version === 0 ? undefined : { data: { data: this.data, metadata: { version: this.version } } }
    ) as never;
  }

  override async write(path: string, body: Readonly<Record<string, unknown>> = {}) {
    await Promise.resolve();
    if (path.startsWith('sys/mounts/')) return this.#mount(path);
    const lost = this.next;
    this.next = undefined;
    if (lost === 'lost before') throw new VaultError({ method: 'PUT', path, message: 'no answer' });
    if ((body.options as { cas: number }).cas !== this.version) throw refused(path, 'check-and-set');
    this.version++;
    this.data = body.data;
    if (lost === 'lost after') throw refused(path, 'check-and-set'); // as the second attempt is answered
    return undefined;
  }

  #mount(path: string): undefined {
    if (this.mounted) throw refused(path, 'path is already in use at meshroot-state/');
    this.mounted = true;
    return undefined;
  }
}

/** Stands still until told; sleepers wake when their time has come. */
class HandClock implements Clock {
  #now = 0;
  #sleepers: { at: number; wake: () => void }[] = [];
  now = () => this.#now;
  sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((wake, reject) => {
      this.#sleepers.push({ at: this.#now + ms, wake });
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });

  /** Lets `ms` pass and what wakes by it come to rest. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const minute = 60_000;

describe('the lock of apply', () => {
  const world = () => ({ vault: new OneEntryVault(), clock: new HandClock() });
  const takeBy = (pid: number, { vault, clock }: ReturnType<typeof world>, alive = true) =>
    takeApplyLock(vault, { clock, self: { host: 'h', pid }, isAlive: () => alive });

  test('of two that begin at the same moment, before its mount is there, one has it and the other is told', async () => {
    const both = world();
    const results = await Promise.allSettled([takeBy(1, both), takeBy(2, both)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'apply-running', message: expect.stringContaining('is at work on this mesh') },
    });
  });

  test('is free for the next once it was let go of', async () => {
    const one = world();
    const release = await takeBy(1, one);
    await expect(takeBy(2, one)).rejects.toMatchObject({
      message: 'an apply of h (pid 1) is at work on this mesh',
    });
    await release();
    await expect(takeBy(2, one)).resolves.toBeTypeOf('function');
  });

  test('of a process that is gone is taken over, on this machine at once, of another after a minute', async () => {
    const one = world();
    await takeBy(1, one);
    await expect(takeBy(2, one, false)).resolves.toBeTypeOf('function');
    const other = world();
    other.vault.version = 1;
    other.vault.data = { host: 'elsewhere', pid: 1, until: minute };
    await expect(takeBy(2, other, false)).rejects.toMatchObject({ code: 'apply-running' });
    await other.clock.pass(minute);
    await expect(takeBy(2, other, false)).resolves.toBeTypeOf('function');
  });

  test('is renewed as long as the work goes on, also over a moment without an answer', async () => {
    for (const lost of ['lost before', 'lost after'] as const) {
      const one = world();
      const release = await takeBy(1, one);
      one.vault.next = lost;
      for (let i = 0; i < 8; i++) await one.clock.pass(minute / 4);
      await expect(takeBy(2, one)).rejects.toMatchObject({ code: 'apply-running' });
      await release();
      expect(one.vault.data).toEqual({});
    }
  });

  test('is had though the answer that gives it was lost', async () => {
    const one = world();
    one.vault.next = 'lost after';
    const release = await takeBy(1, one);
    await expect(takeBy(2, one)).rejects.toMatchObject({ code: 'apply-running' });
    await release();
    expect(one.vault.data).toEqual({});
  });
});
