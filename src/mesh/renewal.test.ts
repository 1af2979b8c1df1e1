import { describe, expect, test } from 'vitest';
import { days } from '../lib/duration.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { testIntermediate, testNow, testRoot } from '../x509/test-ca.ts';
import { parseMesh } from './load.ts';
import { decideRenewal } from './renewal.ts';

const root = await testRoot();
const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
const { certificate } = await testIntermediate(issuer, { ttl: days(90) });
const current = parseCertificate(certificate.pem);

function kindAt(after: number, { address = '', top = '', unfinished = false } = {}): string {
  const mesh = parseMesh(
    `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v:8200" }\n${top}clusters:\n  - name: eu\n    context: eu\n${address}`,
    'mesh.yaml',
  );
  const [cluster] = mesh.clusters;
  if (cluster === undefined) throw new Error('no cluster');
  return decideRenewal(mesh, cluster, { current, unfinished, now: testNow + after }).kind;
}

const address = '    istiod: { address: "istiod.eu:15012" }\n';

describe('what an intermediate needs', () => {
  test('nothing in the first half of its life, then a renewal', () => {
    expect([kindAt(days(44), { address }), kindAt(days(46), { address })]).toEqual(['none', 'rotate']);
  });

  test('is only stored where nobody can watch istiod take it', () => {
    expect([kindAt(days(44)), kindAt(days(46))]).toEqual(['none', 'store']);
  });

  test('goes on with a rotation that was begun, however young the certificate is', () => {
    expect(kindAt(days(1), { address, unfinished: true })).toBe('rotate');
    expect(kindAt(days(1), { unfinished: true })).toBe('none');
  });
});
