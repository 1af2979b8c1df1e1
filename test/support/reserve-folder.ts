import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { day, type TestRoot, tempFolder, testRoot } from '../../src/istio/test-mesh.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { issueIntermediate } from '../../src/x509/templates/intermediate.ts';

/** A reserve intermediate of `mesh` for a CA whose key is in a Vault, or one that must be refused. */
export async function reserveFolder(
  mesh: TestRoot,
  shape: { ttl?: number; plain?: boolean; passphrase?: string; stranger?: boolean } = {},
) {
  const folder = await tempFolder();
  const root = shape.stranger === true ? await testRoot('Stranger') : mesh;
  const key = await generateKeyPair('ec-p256');
  const issuer = { certificate: root.certificate, privateKey: root.key.privateKey };
  const ttl = shape.ttl ?? 7 * day;
  const made = await issueIntermediate({
    issuer,
    publicKey: key.publicKey,
    name: 'reserve',
    ttl,
    now: Date.now(),
  });
  const secret = shape.plain === true ? {} : { cipher: 'aes-256-cbc', passphrase: 'sesame' };
  const texts = {
    'ca-key.pem': key.privateKey.export({ type: 'pkcs8', format: 'pem', ...secret }),
    'ca-cert.pem': made.pem,
    'cert-chain.pem': made.pem + root.certificate.pem,
    'root-cert.pem': root.certificate.pem,
    passphrase: `${shape.passphrase ?? 'sesame'}\n`,
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder.path, name), text);
  return folder;
}
