import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { createCsr, parseCsr } from './csr.ts';
import { generateKeyPair } from './keys.ts';
import { pemBlocks } from './pem.ts';
import { oracle } from './test-oracle.ts';

const spiffe = 'spiffe://cluster.local/ns/foo/sa/bar';

describe('a certificate request', () => {
  test.each(['rsa-2048', 'ec-p256', 'ec-p384', 'ed25519'] as const)(
    'signed with %s is read back',
    async (type) => {
      const key = await generateKeyPair(type);
      const pem = await createCsr({
        key,
        subject: [{ type: 'CN', value: 'x' }],
        sans: { dns: ['a'], ip: ['::1'] },
      });
      const csr = parseCsr(pem);
      expect(csr.subject).toEqual([{ type: 'CN', value: 'x' }]);
      expect(csr.sans).toEqual({ dns: ['a'], uri: [], ip: ['::1'], email: [] });
      expect(csr.signatureValid).toBe(true);
      expect(csr.publicKey.equals(key.publicKey)).toBe(true);
    },
  );

  test('of pilot-agent (one empty O, critical URI) and of ztunnel (no subject) is accepted', async () => {
    const key = await generateKeyPair('ec-p256');
    const sans = { uri: [spiffe] };
    const agent = parseCsr(
      await createCsr({ key, subject: [{ type: 'O', value: '' }], sans, sanCritical: true }),
    );
    expect(agent.subject).toEqual([{ type: 'O', value: '' }]);
    expect(agent.extensions).toMatchObject([{ oid: '2.5.29.17', critical: true }]);
    const ztunnel = parseCsr(await createCsr({ key, sans, sanCritical: true }));
    expect([ztunnel.subject, ztunnel.sans.uri, ztunnel.signatureValid]).toEqual([[], [spiffe], true]);
  });

  test('of ours is verified by the oracle, and one of the oracle by us', async () => {
    const key = await generateKeyPair('ec-p256');
    const ours = new oracle.Pkcs10CertificateRequest(await createCsr({ key, sans: { uri: [spiffe] } }));
    expect(await ours.verify()).toBe(true);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const theirs = await oracle.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=Test',
      keys,
      signingAlgorithm: algorithm,
      attributes: [new oracle.ChallengePasswordAttribute('x')],
    });
    expect(parseCsr(Buffer.from(theirs.rawData))).toMatchObject({ signatureValid: true, extensions: [] });
  });

  test('with a signature of another key says so instead of throwing', async () => {
    const key = await generateKeyPair('ec-p256');
    const der = Buffer.from(pemBlocks(await createCsr({ key }))[0]!.der);
    der[der.length - 1]! ^= 1;
    expect(parseCsr(der).signatureValid).toBe(false);
  });

  test('that is none is refused', () => {
    expect(() => parseCsr('hello')).toThrow(
      expect.objectContaining({
        code: 'bad-csr',
        message: 'not a certificate request: there is no CERTIFICATE REQUEST block',
      }),
    );
  });

  test('mutated at will only ever gives a MeshrootError', async () => {
    const key = await generateKeyPair('ec-p256');
    const valid = pemBlocks(await createCsr({ key, sans: { uri: [spiffe] } }))[0]!.der;
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length), (at, value, length) => {
        const bytes = Buffer.from(valid);
        bytes[at] = value;
        try {
          parseCsr(bytes);
          parseCsr(bytes.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(MeshrootError);
          expect((error as MeshrootError).code).toBe('bad-csr');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
