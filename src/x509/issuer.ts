import { type KeyObject, randomBytes } from 'node:crypto';
import { MeshrootError } from '../lib/errors.ts';
import { type Certificate, issuedCertificate } from './certificate.ts';
import { bitString, explicit, sequence, smallInteger, time, unsigned } from './der/writer.ts';
import { describeCertificate } from './describe.ts';
import { authorityKeyId, extensionBlock } from './extensions.ts';
import { keyMatches } from './keys.ts';
import { encodeName, type Name } from './name.ts';
import { algorithmForKey, type SignatureAlgorithm, type SigningKey, signData } from './signature.ts';
import { spkiOf } from './spki.ts';
import { clampNotAfter, isoDay, requireWithin } from './validity-rule.ts';

export interface Issuer {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
}

/** An issuer whose key may be held by somebody else. */
export interface SigningIssuer {
  readonly certificate: Certificate;
  readonly privateKey: SigningKey;
}

/** NotBefore lies this far in the past, as istiod's does: clocks of a mesh differ by seconds, rarely by minutes. */
export const backdate = 120_000;

/** A key, or its SubjectPublicKeyInfo where it is at hand: OpenSSL takes longer to read or to write one than to sign. */
export type SubjectKey = KeyObject | Buffer;

export interface IssueOptions {
  readonly issuer: SigningIssuer;
  readonly publicKey: SubjectKey;
  readonly subject: Name;
  /** Encoded extensions; the authority key id is put in at `authorityKeyAt`, or at the end. */
  readonly extensions: readonly Buffer[];
  readonly authorityKeyAt?: number;
  readonly ttl: number;
  readonly now: number;
  /** What to do with a certificate that would outlive its issuer. */
  readonly beyondIssuer: 'clamp' | 'refuse';
  /** What a refusal calls it; `the certificate` unless told otherwise. */
  readonly what?: string;
}

/**
 * Issues one certificate; templates say which.
 * @throws MeshrootError `outlives-issuer`, `issuer-expired`, `issuer-unusable`
 */
export function issue(options: IssueOptions): Promise<Certificate> {
  const prepared = prepareIssuer(options.issuer);
  const extensions = [...options.extensions];
  if (prepared.authorityKeyId !== undefined) {
    extensions.splice(options.authorityKeyAt ?? extensions.length, 0, prepared.authorityKeyId);
  }
  return encodeAndSign({
    ...options,
    issuerName: prepared.name,
    extensions,
    algorithm: prepared.algorithm,
    signingKey: options.issuer.privateKey,
    notAfter: endOf(options),
  });
}

function endOf({ issuer, ttl, now, beyondIssuer, what = 'the certificate' }: IssueOptions): number {
  const { certificate } = issuer;
  if (now >= certificate.notAfter) {
    const message = `${describeCertificate(certificate)} ended ${isoDay(certificate.notAfter)} and cannot issue any more`;
    throw new MeshrootError('issuer-expired', message, { hint: 'renew it first', exit: 1 });
  }
  if (beyondIssuer === 'clamp') return clampNotAfter(now + ttl, certificate);
  return requireWithin(now + ttl, certificate, what);
}

/** An issuer's part of each certificate. */
export interface PreparedIssuer {
  readonly name: Buffer;
  readonly authorityKeyId: Buffer | undefined;
  readonly algorithm: SignatureAlgorithm;
  readonly key: SigningKey;
}

/** An issuer's part of each certificate is the same: checked and encoded once, not thousands of times a second. */
const preparedIssuers = new WeakMap<Certificate, PreparedIssuer>();

/** @throws MeshrootError `issuer-unusable` */
export function prepareIssuer({ certificate, privateKey }: SigningIssuer): PreparedIssuer {
  const known = preparedIssuers.get(certificate);
  if (known !== undefined && known.key === privateKey) return known;
  requireUsable(certificate, privateKey);
  const id = certificate.subjectKeyId;
  const prepared: PreparedIssuer = {
    name: certificate.subjectDer,
    authorityKeyId: id === undefined ? undefined : authorityKeyId(Buffer.from(id, 'hex')),
    algorithm: algorithmForKey(privateKey),
    key: privateKey,
  };
  preparedIssuers.set(certificate, prepared);
  return prepared;
}

function requireUsable(certificate: Certificate, privateKey: SigningKey): void {
  const { isCa, keyUsage } = certificate;
  const why = !isCa
    ? 'it is not a CA'
    : keyUsage?.has('keyCertSign') === false
      ? 'its key usage lacks keyCertSign'
      : !keyMatches(certificate, 'sign' in privateKey ? privateKey.publicKey : privateKey)
        ? 'the key is not its own'
        : undefined;
  if (why === undefined) return;
  throw new MeshrootError('issuer-unusable', `${describeCertificate(certificate)} cannot issue: ${why}`, {
    exit: 1,
  });
}

export interface SigningParts {
  readonly issuerName: Buffer;
  readonly subject: Name;
  readonly publicKey: SubjectKey;
  /** Its SubjectPublicKeyInfo, when it is at hand as well. */
  readonly publicKeyDer?: Buffer | undefined;
  readonly extensions: readonly Buffer[];
  readonly algorithm: SignatureAlgorithm;
  readonly signingKey: SigningKey;
  readonly now: number;
  readonly notAfter: number;
  /** Instead of `now` and the usual backdate. */
  readonly notBefore?: number;
  /** Big-endian magnitude, at most 20 bytes; 128 random bits without it. */
  readonly serial?: Buffer;
  /** The subject as encoded elsewhere (a request's), instead of `subject`. */
  readonly subjectDer?: Buffer;
}

/** TBSCertificate, signature, certificate (RFC 5280, 4.1). */
export async function encodeAndSign(parts: SigningParts): Promise<Certificate> {
  const { algorithm, publicKey, notBefore = parts.now - backdate, serial = serialBytes() } = parts;
  const tbs = sequence(
    version3,
    unsigned(serial),
    algorithm.der,
    parts.issuerName,
    sequence(time(notBefore), time(parts.notAfter)),
    parts.subjectDer ?? encodeName(parts.subject),
    parts.publicKeyDer ?? (Buffer.isBuffer(publicKey) ? publicKey : spkiOf(publicKey)),
    extensionBlock(parts.extensions),
  );
  const signature = await signData(algorithm, parts.signingKey, tbs);
  const key = Buffer.isBuffer(publicKey) ? undefined : publicKey;
  return issuedCertificate(sequence(tbs, algorithm.der, bitString(signature)), key, hexOf(serial));
}

/** As a reader of the certificate sees it: an INTEGER has no leading zero bytes. */
const hexOf = (serial: Buffer): string => serial.toString('hex').replace(/^(00)+(?=..)/, '');
const serialPool = { bytes: Buffer.alloc(0), at: 0 };

/** 128 random bits; OpenSSL is asked for a few hundred serial numbers at a time, as a question costs more than the bytes. */
function serialBytes(): Buffer {
  if (serialPool.at + 16 > serialPool.bytes.length) {
    serialPool.bytes = randomBytes(4096);
    serialPool.at = 0;
  }
  serialPool.at += 16;
  return serialPool.bytes.subarray(serialPool.at - 16, serialPool.at);
}

const version3 = explicit(0, smallInteger(2));
