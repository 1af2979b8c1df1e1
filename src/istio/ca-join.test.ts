import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { JoinOnce, joinMark } from './ca-join.ts';
import { memoryTokens } from './ca-join-memory.ts';

const at = (now: number) => ({ now: () => now, sleep: () => new Promise<void>(() => {}) });
const mark = (id: string, expiresAt?: number) => ({ id, expiresAt });

describe('the mark of a token', () => {
  test('is of what was signed, not of how the signature is spelled', async () => {
    const key = new Uint8Array(32).fill(1);
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(2_000_000)
      .sign(key);
    const [head, payload, signature = ''] = token.split('.');
    const respelled = `${head}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`;
    expect(joinMark(respelled)).toEqual(joinMark(token));
    expect(joinMark(token)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      expiresAt: 2_000_000_000,
    });
    expect(joinMark(`${head}.${payload}x.${signature}`).id).not.toBe(joinMark(token).id);
  });

  test.each(['opaque', 'a.b.c', 'a.bnVsbA.c', '..'])('of %s has no end', (token) => {
    expect(joinMark(token)).toEqual({ id: expect.stringMatching(/^[0-9a-f]{64}$/), expiresAt: undefined });
  });
});

describe('one token joins once', () => {
  test('a second use is refused with code 7 and the way out', async () => {
    const once = new JoinOnce(memoryTokens(at(0)), at(0));
    once.check(mark('a'));
    await once.spend(mark('a'));
    await once.spend(mark('b'));
    const refusal = {
      code: 'token-used',
      grpcCode: 7,
      message:
        'this token was used already: renew with the certificate it gave, or join again with a new token',
    };
    expect(() => once.check(mark('a'))).toThrow(expect.objectContaining(refusal));
    await expect(once.spend(mark('a'))).rejects.toMatchObject(refusal);
  });

  test('of many at the same time exactly one wins', async () => {
    const tokens = memoryTokens(at(0));
    const replicas = [new JoinOnce(tokens, at(0)), new JoinOnce(tokens, at(0))];
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => replicas[i % 2]!.spend(mark('a'))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('when nobody can say whether it was used, it does not join: code 14', async () => {
    const broken = new JoinOnce({ add: async () => Promise.reject(new Error('no Vault')) }, at(0));
    await expect(broken.spend(mark('a'))).rejects.toMatchObject({
      code: 'join-unavailable',
      grpcCode: 14,
      reason: 'used tokens: no Vault',
    });
    const silent = new JoinOnce(
      { add: () => new Promise(() => {}) },
      { now: () => 0, sleep: async () => {} },
    );
    await expect(silent.spend(mark('a'))).rejects.toMatchObject({ code: 'join-unavailable' });
  });
});

describe('in memory', () => {
  test('a token is forgotten after its end, and only to make room', async () => {
    let now = 0;
    const tokens = memoryTokens({ ...at(0), now: () => now }, 2);
    expect(await tokens.add(mark('a', 1000))).toBe(true);
    expect(await tokens.add(mark('b'))).toBe(true);
    expect(await tokens.add(mark('a', 1000))).toBe(false);
    await expect(tokens.add(mark('c', 1000))).rejects.toMatchObject({ code: 'overloaded', grpcCode: 8 });
    now = 62_000;
    expect(await tokens.add(mark('c', 90_000))).toBe(true);
    expect(await tokens.add(mark('b'))).toBe(false);
  });
});
