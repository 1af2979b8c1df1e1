import { beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../../x509/certificate.ts';
import type { Issuer } from '../../x509/issuer.ts';
import { generateKeyPair, type KeyPair, privateKeyPem } from '../../x509/keys.ts';
import { issueIntermediate } from '../../x509/templates/intermediate.ts';
import { createRoot } from '../../x509/templates/root.ts';
import { issueServing } from '../../x509/templates/serving.ts';
import { gatewayVerifier } from './gateway.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 0, 1);
let root: Issuer;
let intermediate: Issuer;
let key: KeyPair;
let leaf: Certificate;

beforeAll(async () => {
  const rootKey = await generateKeyPair('ec-p256');
  const certificate = await createRoot({ key: rootKey, ttl: 100 * day, now: now - day });
  root = { certificate, privateKey: rootKey.privateKey };
  const middle = await generateKeyPair('ec-p256');
  const issued = await issueIntermediate({
    issuer: root,
    publicKey: middle.publicKey,
    name: 'x',
    ttl: 50 * day,
    now,
  });
  intermediate = { certificate: issued, privateKey: middle.privateKey };
  key = await generateKeyPair('ec-p256');
  leaf = await serving(key);
});

const serving = ({ publicKey }: KeyPair, from = now) =>
  issueServing({ issuer: intermediate, publicKey, dns: ['shop.example'], ttl: day, now: from });

interface Texts {
  crt?: string;
  key?: string;
  ca?: string;
}
const verify = (texts: Texts, at = now) =>
  gatewayVerifier.verify(
    new Map(
      Object.entries({
        'tls.crt': texts.crt ?? leaf.pem + intermediate.certificate.pem,
        'tls.key': texts.key ?? privateKeyPem(key.privateKey).reveal(),
        'ca.crt': texts.ca ?? root.certificate.pem,
      }).map(([name, text]) => [name, Buffer.from(text)]),
    ),
    at,
  );

describe('the files of a gateway', () => {
  test('are good together, with the serial as a fact and no word of the key', async () => {
    const verdict = await verify({});
    expect(verdict.refusals).toEqual([]);
    expect(verdict.facts).toEqual({
      serial: leaf.serial,
      fingerprint: leaf.fingerprint,
      notAfter: new Date(leaf.notAfter).toISOString(),
    });
  });

  test('may have the root behind the intermediate, or the certificate alone', async () => {
    const whole = leaf.pem + intermediate.certificate.pem + root.certificate.pem;
    expect((await verify({ crt: whole })).refusals).toEqual([]);
    expect((await verify({ crt: leaf.pem })).refusals).toEqual([]);
  });

  test.each<[string, () => Promise<Texts>, RegExp]>([
    [
      'a key of another certificate',
      async () => ({ key: privateKeyPem((await generateKeyPair('ec-p256')).privateKey).reveal() }),
      /^tls\.key is not the key of .* in tls\.crt \(write both in one change/,
    ],
    ['no key', async () => ({ key: '' }), /^tls\.key: /],
    ['no certificate', async () => ({ crt: '<no value>' }), /^tls\.crt holds no certificate$/],
    ['no CA', async () => ({ ca: '' }), /^ca\.crt holds no certificate$/],
    ['a CA that is cut', async () => ({ ca: root.certificate.pem.slice(0, 300) }), /^ca\.crt/],
    ['the intermediate in front', async () => ({ crt: intermediate.certificate.pem + leaf.pem }), /./],
    [
      'a chain that does not belong to it',
      async () => ({ crt: leaf.pem + root.certificate.pem }),
      /roots issued shop/,
    ],
  ])('with %s are refused', async (_, texts, message) => {
    const { refusals } = await verify(await texts());
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals).toContainEqual(expect.stringMatching(message));
    expect(refusals.join()).not.toContain('PRIVATE KEY-----\n');
  });

  test('are refused before and after the time of the certificate', async () => {
    expect((await verify({}, now - 3 * day)).refusals.join()).toMatch(/not valid before|not yet/);
    expect((await verify({}, now + 2 * day)).refusals.join()).toMatch(/shop.example ended/);
    expect((await verify({}, now + 99 * day + 1)).refusals.join()).toContain(
      'no certificate in ca.crt is valid now',
    );
  });
});
