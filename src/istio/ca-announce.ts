import type { Logger } from '../lib/log.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Name } from '../x509/name.ts';
import type { ServingMaterial } from './ca-serving.ts';
import type { SignerSettings } from './ca-signer-settings.ts';

/** The order in which istiod's log lines name the parts. */
const partOrder = ['CN', 'O', 'OU', 'L', 'ST', 'C'];

/** What istiod logs of the certificate it serves with, at start and after each reload. Public facts only. */
export function announceServing(
  { certificate, trust }: ServingMaterial,
  where: { readonly folder: string; readonly trustDomain: string; readonly signer: SignerSettings },
  log: Logger,
): void {
  log.info(`Use root cert from ${rootPlace(where)}`);
  for (const each of [certificate, ...trust.chain, ...trust.roots])
    log.info(`x509 cert - ${certificateText(each)}`);
  log.info('Istiod certificates are reloaded');
  log
    .named('spiffe')
    .info(`Added ${trust.roots.length} certs to trust domain ${where.trustDomain} in peer cert verifier`);
}

function rootPlace({ folder, signer }: { readonly folder: string; readonly signer: SignerSettings }): string {
  const file = `${folder}/root-cert.pem`;
  if (signer.kind === 'vault-pki') return `${file}, or without it the chain of ${signer.mount}`;
  return signer.kind === 'vault-transit' ? (signer.kvPath ?? file) : file;
}

function certificateText(certificate: Certificate): string {
  const { issuer, subject, serial, notBefore, notAfter } = certificate;
  const time = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  return `Issuer: "${goName(issuer)}", Subject: "${goName(subject)}", SN: ${serial}, NotBefore: "${time(notBefore)}", NotAfter: "${time(notAfter)}"`;
}

function goName(name: Name): string {
  const rank = (type: string) => (partOrder.includes(type) ? partOrder.indexOf(type) : partOrder.length);
  return [...name]
    .sort((a, b) => rank(a.type) - rank(b.type))
    .map(({ type, value }) => `${type}=${value}`)
    .join(',');
}
