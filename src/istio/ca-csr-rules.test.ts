import { describe, expect, test } from 'vitest';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair } from '../x509/keys.ts';
import type { Name } from '../x509/name.ts';
import { readCsr } from './ca-csr-rules.ts';

const shop = 'spiffe://cluster.local/ns/demo/sa/shop';
const cart = 'spiffe://cluster.local/ns/demo/sa/cart';
const cn: Name = [{ type: 'CN', value: 'admin' }];
const emptyO: Name = [{ type: 'O', value: '' }];

describe('what a request may ask for', () => {
  const make = async (options: Omit<Parameters<typeof createCsr>[0], 'key'> = {}) =>
    createCsr({ key: await generateKeyPair('ec-p256'), ...options });
  const strict = { mode: 'strict', minRsaBits: 2048 } as const;
  const compat = { mode: 'compat', minRsaBits: 2048 } as const;

  test.each([
    ['its own identity', { sans: { uri: [shop] } }],
    ['nothing', {}],
    [
      'its own identity, with the empty organization of pilot-agent',
      { sans: { uri: [shop] }, subject: emptyO },
    ],
    ['its own identity, marked critical as ztunnel does', { sans: { uri: [shop] }, sanCritical: true }],
  ])('strict lets a request ask for %s', async (_, options) => {
    expect((await readCsr(await make(options), [shop], strict)).signatureValid).toBe(true);
  });

  test.each([
    ['a common name', { subject: cn, sans: { uri: [shop] } }, 'the request has a common name'],
    ['a DNS name', { sans: { uri: [shop], dns: ['a.b'] } }, 'the request has names that are not URIs'],
    ['an address', { sans: { uri: [shop], ip: ['10.0.0.1'] } }, 'the request has names that are not URIs'],
    ['an e-mail', { sans: { uri: [shop], email: ['a@b.c'] } }, 'the request has names that are not URIs'],
    ['another identity', { sans: { uri: [cart] } }, 'the request names another identity than its caller has'],
    [
      'one more identity',
      { sans: { uri: [shop, cart] } },
      'the request names another identity than its caller has',
    ],
    [
      'its identity twice',
      { sans: { uri: [shop, shop] } },
      'the request names another identity than its caller has',
    ],
  ])('strict refuses %s, compat does not look', async (_, options, reason) => {
    const csr = await make(options);
    await expect(readCsr(csr, [shop], strict)).rejects.toMatchObject({
      code: 'csr-not-allowed',
      grpcCode: 16,
      message: 'request authenticate failure',
      reason,
    });
    expect((await readCsr(csr, [shop], compat)).signatureValid).toBe(true);
  });

  test('the smallest RSA key is the operator’s choice', async () => {
    const csr = await createCsr({ key: await generateKeyPair('rsa-2048') });
    await expect(readCsr(csr, [shop], { ...strict, minRsaBits: 3072 })).rejects.toMatchObject({
      code: 'bad-csr',
      message: 'CSR signing error (RSA key of 2048 bits: 3072 to 8192 are signed)',
    });
  });
});
