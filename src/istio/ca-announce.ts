import type { Logger } from '../lib/log.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { Name } from '../x509/name.ts';
import type { ServingMaterial } from './ca-serving.ts';

/** Go prints a name with its most specific part first, in this order of kinds from the back. */
const goOrder = ['C', 'O', 'OU', 'L', 'ST'];

/** What istiod logs of the certificate it serves with, at start and after each reload. Public facts only. */
export function announceServing(
  { certificate, trust }: ServingMaterial,
  where: { readonly folder: string; readonly trustDomain: string },
  log: Logger,
): void {
  log.info(`Use root cert from ${where.folder}/root-cert.pem`);
  for (const each of [certificate, ...trust.chain, ...trust.roots])
    log.info(`x509 cert - ${certificateText(each)}`);
  log.info('Istiod certificates are reloaded');
  log
    .named('spiffe')
    .info(`Added ${trust.roots.length} certs to trust domain ${where.trustDomain} in peer cert verifier`);
}

function certificateText(certificate: Certificate): string {
  const { issuer, subject, serial, notBefore, notAfter } = certificate;
  const time = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  return `Issuer: "${goName(issuer)}", Subject: "${goName(subject)}", SN: ${serial}, NotBefore: "${time(notBefore)}", NotAfter: "${time(notAfter)}"`;
}

function goName(name: Name): string {
  const rank = (type: string) => (goOrder.includes(type) ? goOrder.indexOf(type) : goOrder.length);
  return [...name]
    .sort((a, b) => rank(b.type) - rank(a.type))
    .map(({ type, value }) => `${type}=${value}`)
    .join(',');
}
