import { lintBundleCertificates } from '../../istio/bundle-lint.ts';
import { humanDuration } from '../../lib/duration.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { describeCertificate } from '../../x509/describe.ts';
import { keyTypeOf } from '../../x509/keys.ts';
import { isoDay } from '../../x509/validity-rule.ts';
import type { CaSecret } from './ca-secret.ts';
import type { CaCertificate, IstioCsr } from './cert-manager.ts';
import type { FoundIstiod } from './found-istiod.ts';
import type { InjectedVault } from './injected-vault.ts';

/** What is said of a thing: that it was found, and what of it no program can decide. */
export interface FoundLines {
  readonly found: readonly string[];
  readonly decide: readonly string[];
}

export function linesOfIstiod({
  namespace,
  name,
  serviceAccount,
  image,
  rootCaDir,
}: FoundIstiod): FoundLines {
  const dir = rootCaDir === '' ? '' : `, reads its CA in ${rootCaDir}`;
  return {
    found: [`istiod ${namespace}/${name}, service account ${serviceAccount}, ${image || 'no image'}${dir}`],
    decide: [],
  };
}

export function linesOfInjected({
  address,
  authMount,
  role,
  secretsMount,
  bundlePath,
  kv,
}: InjectedVault): FoundLines {
  const where = address === '' ? 'a Vault whose address it does not say' : address;
  return {
    found: [
      `its CA is injected from ${where}: ${secretsMount}/${bundlePath} (kv version ${kv}), login auth/${authMount}, role ${role}`,
    ],
    decide: [
      'names.policy: what the role allows cannot be seen from here; without it istiod-certs-NAME is meant',
      `what is there by these names is taken over by: meshroot apply --adopt${
        address === '' ? '; vault.address: see the environment of the injector' : ''
      }`,
    ],
  };
}

export function linesOfCsr({ place, image, issuer, trustDomain, signer }: IstioCsr): FoundLines {
  const domain = trustDomain === '' ? '' : `, trust domain ${trustDomain}`;
  return {
    found: [
      `istio-csr ${place}, ${image || 'no image'}: ${issuer.kind} ${issuer.name} of ${issuer.group} signs${domain}`,
      ...(signer === undefined ? [] : linesOfSigner(signer)),
    ],
    decide: [
      ...(signer === undefined ? ['the issuer that it names was not seen: which CA signs this mesh?'] : []),
      'istio-csr signs every workload itself; after the move istiod itself does, with an intermediate that the same root has to sign (docs/move-a-running-mesh.md)',
    ],
  };
}

function linesOfSigner({ place, kind, vault, certificate }: NonNullable<IstioCsr['signer']>): string[] {
  const where = vault === undefined ? '' : `, ${vault.server} ${vault.path}`;
  return [
    `${place}, kind ${kind}${where}`,
    ...(certificate === undefined ? [] : [lineOfCertificate(certificate)]),
  ];
}

function lineOfCertificate(certificate: CaCertificate): string {
  const { place, algorithm, size, duration, renewBefore, issuer } = certificate;
  const renewed = renewBefore === '' ? '' : `, renewed ${renewBefore} before its end`;
  return `${place}: ${algorithm} ${size}, ${duration}${renewed}, signed by ${issuer}; its key lies in a Secret`;
}

export function linesOfSecret(secret: CaSecret, inUse: boolean, now: number): FoundLines {
  const { place, kind, ca } = secret;
  const what = {
    plugged: 'plugged-in CA',
    'self-made': 'CA that istiod made itself',
    tls: 'CA as a TLS pair',
  }[kind];
  const found = [
    `Secret ${place}, ${what}: ${ca === undefined ? 'no readable certificate' : lineOf(ca, now)}`,
  ];
  if (!inUse)
    return { found, decide: [`Secret ${place} does not sign here as far as can be seen: why is it there?`] };
  if (kind === 'plugged') return { found, decide: faults(secret, now) };
  return { found, decide: [kind === 'tls' ? tlsHint(place) : selfMadeHint(place)] };
}

const tlsHint = (place: string): string =>
  `Secret ${place} has tls.crt and tls.key: import takes the four files of istio (ca-key.pem, ca-cert.pem, cert-chain.pem, root-cert.pem)`;

const selfMadeHint = (place: string): string =>
  `Secret ${place} holds the root's own key: let it sign an intermediate (docs/move-a-running-mesh.md), or replace the root (docs/replace-a-root.md)`;

/** Judged without the key. */
function faults({ place, texts }: CaSecret, now: number): string[] {
  return lintBundleCertificates(texts, now).map(
    ({ code, message, hint }) =>
      `Secret ${place}: ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

/** A certificate in one line: who, key, until when, fingerprint. */
export function lineOf(certificate: Certificate, now: number): string {
  const { notBefore, notAfter, fingerprint, publicKey } = certificate;
  const left = humanDuration(notAfter - now);
  const life = humanDuration(notAfter - notBefore);
  return `${describeCertificate(certificate)}, ${keyTypeOf(publicKey) ?? 'unusual key'}, to ${isoDay(notAfter)} (${left} of ${life}), sha256 ${fingerprint.slice(0, 16)}`;
}
