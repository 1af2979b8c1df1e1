import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decryptBlob, encryptBlob } from './barrier.ts';
import { createMemoryPhysical } from './physical-memory.ts';
import { checkSealConfig, createSeal, openSeal } from './seal.ts';

describe('barrier', () => {
  const key = randomBytes(32);
  const blob = encryptBlob(key, 7, 'a/b', Buffer.from('secret'), randomBytes);

  test('a blob has term, format and a fresh nonce, and opens at its own path', () => {
    expect(blob.readUInt32BE()).toBe(7);
    expect(blob[4]).toBe(2);
    expect(String(decryptBlob(key, 'a/b', blob))).toBe('secret');
    expect(encryptBlob(key, 7, 'a/b', Buffer.from('secret'), randomBytes).equals(blob)).toBe(false);
  });

  test('a blob that was moved or changed does not open', () => {
    const changed = Buffer.from(blob);
    changed[20] = (changed[20] ?? 0) ^ 1;
    for (const wrong of [() => decryptBlob(key, 'a/c', blob), () => decryptBlob(key, 'a/b', changed)]) {
      expect(wrong).toThrow(expect.objectContaining({ code: 'store-corrupt' }));
    }
  });
});

describe('seal', () => {
  test('any quorum of 3 of 5 shares opens it, 33 bytes each with x at the end', async () => {
    const physical = createMemoryPhysical();
    const seal = await createSeal({ shares: 5, threshold: 3 }, 0, randomBytes);
    await physical.commit(seal.changes);
    expect(seal.shares.map((share) => share.length)).toEqual([33, 33, 33, 33, 33]);
    expect(new Set(seal.shares.map((share) => share[32])).size).toBe(5);
    const { barrier } = await openSeal(physical, seal.shares.slice(1, 4), randomBytes);
    expect(barrier.decrypt('p', seal.barrier.encrypt('p', Buffer.from('x'))).toString()).toBe('x');
  });

  test('too few or foreign shares are refused in the words of Vault', async () => {
    const physical = createMemoryPhysical();
    const seal = await createSeal({ shares: 3, threshold: 2 }, 0, randomBytes);
    await physical.commit(seal.changes);
    const other = await createSeal({ shares: 3, threshold: 2 }, 0, randomBytes);
    for (const shares of [seal.shares.slice(0, 1), other.shares.slice(0, 2)]) {
      await expect(openSeal(physical, shares, randomBytes)).rejects.toMatchObject({
        status: 400,
        code: 'bad-unseal-key',
        message: expect.stringContaining('cipher: message authentication failed'),
      });
    }
  });

  test.each([
    [{ shares: 0, threshold: 0 }, 'shares must be at least one'],
    [{ shares: 1, threshold: 0 }, 'threshold must be at least one'],
    [{ shares: 2, threshold: 1 }, 'threshold must be greater than one for multiple shares'],
    [{ shares: 2, threshold: 3 }, 'threshold cannot be larger than shares'],
    [{ shares: 256, threshold: 3 }, 'shares must be less than 256'],
  ])('%j is refused', (config, text) => {
    expect(() => checkSealConfig(config)).toThrow(`invalid seal configuration: ${text}`);
  });
});
