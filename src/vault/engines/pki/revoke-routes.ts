import { messageOf } from '../../../lib/errors.ts';
import { type Certificate, isSignedBy, parseCertificate } from '../../../x509/certificate.ts';
import { type KeyPair, keyMatches, parsePrivateKey } from '../../../x509/keys.ts';
import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import type { Lease } from '../../core/lease.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { markRevocations } from './crl-keeper.ts';
import { colonHex, goTime, plainHex } from './format.ts';
import { certificateOf } from './issuers.ts';
import {
  allIssuers,
  putCertificate,
  putRevocation,
  readCertificate,
  readCrlConfig,
  readRevocation,
  type StoredIssuer,
} from './store.ts';

const schema = { serial_number: 'string', certificate: 'string', private_key: 'string' } as const;

/** Revocation by serial number or certificate; by whoever holds the key on a path of its own. */
export function revokeRoutes(): Route[] {
  return [
    { path: 'revoke', fields: schema, operations: { update: revoke } },
    { path: 'revoke-with-key', fields: schema, operations: { update: revokeWithKey } },
  ];
}

function revoke(context: Context): Result {
  return revokeCertificate(context, requested(context));
}

function revokeWithKey(context: Context): Result {
  const { fields } = context;
  const pem = textOf(fields, 'private_key');
  if (!('private_key' in fields))
    throw refuse('Must have private key to revoke via the /revoke-with-key path.');
  if (pem.length < 64) {
    throw refuse(
      'Provided data for private_key was too short; perhaps a path was passed to the API rather than the contents of a PEM file?',
    );
  }
  const certificate = requested(context);
  let pair: KeyPair;
  try {
    pair = parsePrivateKey(pem);
  } catch {
    throw refuse('provided key PEM block contained no data or failed to parse');
  }
  if (!keyMatches(certificate, pair.publicKey)) {
    throw refuse("provided private key does not match certificate's public key");
  }
  return revokeCertificate(context, certificate);
}

function requested(context: Context): Certificate {
  const { fields, store } = context;
  const hasSerial = 'serial_number' in fields;
  const hasCertificate = 'certificate' in fields;
  if (!hasSerial && !hasCertificate) {
    throw refuse('The serial number or certificate to revoke must be provided.');
  }
  if (hasSerial && hasCertificate) {
    throw refuse('Must provide either the certificate or the serial to revoke; not both.');
  }
  if (hasCertificate) return presented(context);
  const serial = textOf(fields, 'serial_number');
  if (serial === '') throw refuse('The serial number must be provided');
  const pem = readCertificate(store, plainHex(serial));
  if (pem === undefined) throw refuse(`certificate with serial ${serial} not found.`);
  return parseCertificate(pem);
}

/** A certificate that was never kept is taken when one of our issuers signed it. */
function presented({ fields, store }: Context): Certificate {
  const pem = textOf(fields, 'certificate');
  const wrong = (text: string): Error => refuseWrapped(text, 500, 'bad-certificate');
  if (pem.length < 75) {
    throw wrong(
      'provided certificate data was too short; perhaps a path was passed to the API rather than the contents of a PEM file',
    );
  }
  if (!pem.includes('-----BEGIN ')) throw wrong('certificate contains no PEM data');
  let certificate: Certificate;
  try {
    certificate = parseCertificate(pem);
  } catch (error) {
    throw wrong(`certificate could not be parsed: ${messageOf(error)}`);
  }
  const kept = readCertificate(store, certificate.serial);
  if (kept !== undefined) {
    if (parseCertificate(kept).der.equals(certificate.der)) return certificate;
    throw wrong(
      "certificate with same serial but unequal value already present in this cluster's storage; refusing to revoke",
    );
  }
  if (signerOf(certificate, allIssuers(store)) === undefined) {
    throw wrong(
      'unable to verify signature on presented cert from any present issuer in this mount; certificates from previous CAs will need to have their issuing CA and key re-imported if revocation is necessary',
    );
  }
  putCertificate(store, certificate.serial, certificate.pem);
  return certificate;
}

export const signerOf = (
  certificate: Certificate,
  issuers: readonly StoredIssuer[],
): StoredIssuer | undefined => issuers.find((issuer) => isSignedBy(certificate, certificateOf(issuer)));

/** A leased certificate ends with its lease; one that was not kept (no_store) cannot be put on a list. */
export function revokeLeased(context: Pick<Context, 'store' | 'clock'>, { secret }: Lease): void {
  const pem = readCertificate(context.store, secret?.serial ?? '');
  if (pem !== undefined) revokeCertificate(context, parseCertificate(pem));
}

/** Already revoked is no error: the time stays the first one. */
function revokeCertificate(
  { store, clock }: Pick<Context, 'store' | 'clock'>,
  certificate: Certificate,
): Result {
  const { serial, notAfter } = certificate;
  const issuers = allIssuers(store);
  const self = issuers.find((issuer) => issuer.serial === serial);
  if (self !== undefined) throw refuse(`adding issuer (id: ${self.id}) to its own CRL is not allowed`);
  const known = readRevocation(store, serial);
  if (known !== undefined) return revoked(known.time);
  const now = clock.now();
  if (notAfter < now + 2000 && !readCrlConfig(store).allow_expired_cert_revocation) {
    const text = `certificate with serial ${colonHex(serial)} already expired; refusing to add to CRL. Enable 'AllowExpiredCertRevocation' to allow revoking expired certificates.`;
    return { data: null, warnings: [text] };
  }
  putRevocation(store, serial, { time: now, issuer: signerOf(certificate, issuers)?.id ?? '', notAfter });
  markRevocations(store);
  return revoked(now);
}

const revoked = (time: number): Result => ({
  data: {
    revocation_time: Math.floor(time / 1000),
    revocation_time_rfc3339: goTime(time),
    state: 'revoked',
  },
});
