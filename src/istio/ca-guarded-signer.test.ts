import { describe, expect, test } from 'vitest';
import { VaultError } from '../client/vault-error.ts';
import { MeshrootError } from '../lib/errors.ts';
import { GuardedSigner } from './ca-guarded-signer.ts';
import type { Issued, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';

/** A signer that answers as it is told, and counts who asked. */
function fake(by: string) {
  const state = { calls: 0, error: undefined as Error | undefined, hang: false };
  const sign = async (): Promise<Issued> => {
    state.calls += 1;
    if (state.hang) await new Promise(() => {});
    if (state.error !== undefined) throw state.error;
    return { requestId: by } as Issued;
  };
  const signer: Signer = { trust: () => ({}) as TrustSet, signWorkload: sign, signServing: sign };
  return { state, signer };
}
const order = {} as WorkloadOrder;
const away = { code: 'signer-unavailable', grpcCode: 14, message: 'the signer is not available, try again' };
const unreachable = new VaultError({ method: 'PUT', path: 'pki/sign/x', message: 'no answer' });

function guarded(reserve?: Signer) {
  const time = { now: 0 };
  const never = (_ms: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const inner = fake('vault');
  const breaker: boolean[] = [];
  const clock = { now: () => time.now, sleep: never as (ms: number, signal?: AbortSignal) => Promise<void> };
  const onBreaker = ({ open }: { open: boolean }) => void breaker.push(open);
  const signer = new GuardedSigner(inner.signer, { clock, failures: 2, reserve, onBreaker });
  return { time, inner: inner.state, signer, breaker, clock };
}

describe('a signer that is elsewhere', () => {
  test('is left alone after failures in a row, probed by one caller at a time, and used again when it answers', async () => {
    const { time, inner, signer, breaker } = guarded();
    inner.error = unreachable;
    for (let i = 0; i < 5; i++) await expect(signer.signWorkload(order)).rejects.toMatchObject(away);
    expect(inner.calls).toBe(2);
    expect(breaker).toEqual([true]);
    time.now = 1001;
    await Promise.all([1, 2, 3].map(() => expect(signer.signWorkload(order)).rejects.toMatchObject(away)));
    expect(inner.calls).toBe(3);
    inner.error = undefined;
    time.now = 2000;
    await expect(signer.signWorkload(order)).rejects.toMatchObject(away); // the pause has doubled
    time.now = 4000;
    expect((await signer.signWorkload(order)).requestId).toBe('vault');
    expect(breaker).toEqual([true, false]);
  });

  test('has a deadline', async () => {
    const { inner, clock } = guarded();
    inner.hang = true;
    const slow = fake('slow');
    slow.state.hang = true;
    const signer = new GuardedSigner(slow.signer, {
      clock: { ...clock, sleep: async () => {} },
      deadline: 4500,
    });
    await expect(signer.signWorkload(order)).rejects.toMatchObject({
      ...away,
      reason: 'no answer within 4500 ms',
    });
  });

  test('gets what is left of a call’s time; that it is short says nothing about the signer', async () => {
    const slow = fake('slow');
    slow.state.hang = true;
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    const opened: boolean[] = [];
    const signer = new GuardedSigner(slow.signer, {
      clock: { now: () => 1000, sleep },
      deadline: 4500,
      failures: 1,
      onBreaker: ({ open }) => void opened.push(open),
    });
    const until = (at: number) => expect(signer.signWorkload({ ...order, until: at })).rejects;
    await until(1000).toMatchObject({ ...away, reason: 'no time is left to sign' });
    await until(2000).toMatchObject({ ...away, reason: 'no answer within 1000 ms' });
    expect([waits, opened, slow.state.calls]).toEqual([[1000], [], 1]);
    await until(9000).toMatchObject({ ...away, reason: 'no answer within 4500 ms' });
    expect(opened).toEqual([true]);
  });

  test('that answers with a refusal is not away', async () => {
    const { inner, signer, breaker } = guarded();
    inner.error = new VaultError({ method: 'PUT', path: 'pki/sign/x', status: 400, errors: ['ttl'] });
    for (let i = 0; i < 5; i++)
      await expect(signer.signWorkload(order)).rejects.toMatchObject({ code: 'vault-bad-request' });
    inner.error = new MeshrootError('wrong-certificate', 'the certificate that Vault signed has another key');
    await expect(signer.signWorkload(order)).rejects.toMatchObject({ code: 'wrong-certificate' });
    expect(inner.calls).toBe(6);
    expect(breaker).toEqual([]);
  });

  test('gives way to the reserve only while it is away', async () => {
    const reserve = fake('reserve');
    const { inner, signer } = guarded(reserve.signer);
    expect((await signer.signWorkload(order)).requestId).toBe('vault');
    inner.error = unreachable;
    expect((await signer.signWorkload(order)).requestId).toBe('reserve');
    inner.error = new VaultError({ method: 'PUT', path: 'pki/sign/x', status: 400, errors: ['ttl'] });
    await expect(signer.signWorkload(order)).rejects.toMatchObject({ code: 'vault-bad-request' });
    expect(reserve.state.calls).toBe(1);
  });
});
