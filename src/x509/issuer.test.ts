import { expect, test } from 'vitest';
import { parseCertificate } from './certificate.ts';
import { generateKeyPair } from './keys.ts';
import { createRoot } from './templates/root.ts';
import { issueWorkload } from './templates/workload.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

test('an issued certificate knows the serial number that others read from it, leading zeros and all', async () => {
  const key = await generateKeyPair('ec-p256');
  const certificate = await createRoot({ key, ttl: 86_400_000, now });
  const issuer = { certificate, privateKey: key.privateKey };
  const order = { issuer, publicKey: key.publicKey, uris: ['spiffe://d/ns/n/sa/s'], ttl: 3_600_000, now };
  for (let i = 0; i < 600; i++) {
    const { serial, der } = await issueWorkload(order); // about two of them begin with a zero byte
    expect(serial).toBe(parseCertificate(der).serial);
  }
});
