import { type GatewayFiles, judgeGateway } from '../istio/gateway-lint.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import type { Reach } from './resource.ts';
import type { Gateway, Mesh } from './schema.ts';

/** A certificate made elsewhere, as files; the caller judges it. @throws MeshrootError `no-gateway-file` */
export async function placedGatewayFiles({
  cert,
  key,
  ca,
}: NonNullable<Gateway['files']>): Promise<GatewayFiles> {
  const [serverCertificate, privateKey] = await Promise.all([text(cert), text(key)]);
  const caCertificates = ca === undefined ? '' : await text(ca);
  return {
    serverCertificate,
    privateKey: new Secret(privateKey),
    caCertificates: caCertificates === '' ? serverCertificate : caCertificates,
  };
}

/**
 * A new certificate for the names of a gateway: the key is made here, the root in Vault signs.
 * @see https://developer.hashicorp.com/vault/api-docs/secret/pki#sign-verbatim
 * @throws MeshrootError `gateway-refused` when our own product does not pass the judgement
 */
export async function issueGatewayFiles(
  { root }: Mesh,
  { name, hosts = [], keyType, ttl }: Gateway,
  { vault, clock }: Pick<Reach, 'vault' | 'clock'>,
): Promise<GatewayFiles> {
  const key = await generateKeyPair(keyType);
  const csr = await createCsr({ key, sans: { dns: hosts }, sanCritical: true });
  const reply = await vault.write(`${root.mount}/sign-verbatim`, {
    csr,
    ttl: `${Math.round(ttl / 1000)}s`,
    key_usage: ['DigitalSignature', 'KeyEncipherment'],
    ext_key_usage: ['ServerAuth'],
  });
  const { certificate, issuing_ca: issuer } = reply?.data ?? {};
  if (typeof certificate !== 'string' || typeof issuer !== 'string') {
    throw new MeshrootError('bad-vault-reply', `${root.mount}/sign-verbatim answered without a certificate`);
  }
  const rootPem = parseCertificate(issuer).pem;
  const files = {
    serverCertificate: parseCertificate(certificate).pem + rootPem,
    privateKey: privateKeyPem(key.privateKey),
    caCertificates: rootPem,
  };
  const [finding] = judgeGateway(files, clock.now());
  if (finding === undefined) return files;
  throw new MeshrootError('gateway-refused', `the new certificate of ${name}: ${finding.message}`, {
    exit: 1,
  });
}

async function text(path: string): Promise<string> {
  const file = await readLimitedFile(path);
  if (file !== undefined) return file.bytes.toString('utf8');
  throw new MeshrootError('no-gateway-file', `${path} is not there`, {
    hint: 'gateways[].files in mesh.yaml names PEM files; a relative one counts from mesh.yaml',
    exit: 1,
  });
}
