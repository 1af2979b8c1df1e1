import { createHash, type KeyObject } from 'node:crypto';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { Recent } from '../lib/recent.ts';
import type { SubjectAltNames } from './alt-names.ts';
import type { Name } from './name.ts';
import type { NameConstraints } from './name-constraints.ts';
import type { KeyUsage } from './oids.ts';
import { pemBlocks, toPem } from './pem.ts';
import { type CertificateFields, readCertificate } from './read-certificate.ts';
import type { KnownExtensions } from './read-extensions.ts';
import { signatureAlgorithmOf, verifySignature } from './signature.ts';
import { importSpki } from './spki.ts';

/** An X.509 certificate. Times are in ms since the epoch; identifiers and fingerprint are lower-case hex. */
export interface Certificate extends KnownExtensions {
  readonly der: Buffer;
  /** Ends with exactly one newline. */
  readonly pem: string;
  readonly subject: Name;
  readonly issuer: Name;
  /** Encodings as they stand in the certificate: issuers are matched by bytes. */
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo as it stands in the certificate. */
  readonly publicKeyDer: Buffer;
  /** SHA-256 over the DER. */
  readonly fingerprint: string;
  /** As Go prints it (`SHA256-RSA`, `ECDSA-SHA256`, `Ed25519`), or the dotted identifier. */
  readonly signatureAlgorithm: string;
  /** What was signed, with what. */
  readonly tbs: Buffer;
  readonly signatureOid: string;
  readonly signature: Buffer;
}

/** Fields are read on first use: a freshly issued leaf mostly needs its PEM only. */
class DerCertificate implements Certificate {
  readonly der: Buffer;
  #fields: CertificateFields | undefined;
  #publicKey: KeyObject | undefined;
  readonly #serial: string | undefined;
  #pem: string | undefined;
  #fingerprint: string | undefined;

  constructor(der: Buffer, publicKey?: KeyObject, serial?: string) {
    this.der = der;
    this.#publicKey = publicKey;
    this.#serial = serial;
  }

  get fields(): CertificateFields {
    this.#fields ??= readCertificate(this.der);
    return this.#fields;
  }
  get pem(): string {
    this.#pem ??= toPem('CERTIFICATE', this.der);
    return this.#pem;
  }
  get publicKey(): KeyObject {
    this.#publicKey ??= importSpki(this.fields.publicKeyDer);
    return this.#publicKey;
  }
  get publicKeyDer(): Buffer {
    return this.fields.publicKeyDer;
  }
  get fingerprint(): string {
    this.#fingerprint ??= createHash('sha256').update(this.der).digest('hex');
    return this.#fingerprint;
  }
  get signatureAlgorithm(): string {
    return signatureAlgorithmOf(this.signatureOid)?.name ?? this.signatureOid;
  }
  get subject(): Name {
    return this.fields.subject;
  }
  get issuer(): Name {
    return this.fields.issuer;
  }
  get subjectDer(): Buffer {
    return this.fields.subjectDer;
  }
  get issuerDer(): Buffer {
    return this.fields.issuerDer;
  }
  get serial(): string {
    return this.#serial ?? this.fields.serial;
  }
  get notBefore(): number {
    return this.fields.notBefore;
  }
  get notAfter(): number {
    return this.fields.notAfter;
  }
  get isCa(): boolean {
    return this.fields.known.isCa;
  }
  get pathLength(): number | undefined {
    return this.fields.known.pathLength;
  }
  get keyUsage(): ReadonlySet<KeyUsage> | undefined {
    return this.fields.known.keyUsage;
  }
  get extendedKeyUsage(): readonly string[] | undefined {
    return this.fields.known.extendedKeyUsage;
  }
  get sans(): SubjectAltNames {
    return this.fields.known.sans;
  }
  get subjectKeyId(): string | undefined {
    return this.fields.known.subjectKeyId;
  }
  get authorityKeyId(): string | undefined {
    return this.fields.known.authorityKeyId;
  }
  get nameConstraints(): NameConstraints | undefined {
    return this.fields.known.nameConstraints;
  }
  get unknownCritical(): readonly string[] {
    return this.fields.known.unknownCritical;
  }
  get tbs(): Buffer {
    return this.fields.tbs;
  }
  get signatureOid(): string {
    return this.fields.signatureOid;
  }
  get signature(): Buffer {
    return this.fields.signature;
  }
}

/**
 * A certificate that we have just encoded, so there is nothing to check. Its serial number is wanted for every one of them
 * (logs, replies), so it is not read back.
 */
export const issuedCertificate = (
  der: Buffer,
  publicKey: KeyObject | undefined,
  serial: string,
): Certificate => new DerCertificate(der, publicKey, serial);

/**
 * Reads one certificate: DER, or PEM whose first CERTIFICATE block is taken.
 * @param knownKey SubjectPublicKeyInfo of a key that was read before: the same is not tried again
 * @throws MeshrootError `bad-certificate`
 */
export function parseCertificate(input: string | Buffer, knownKey?: Buffer): Certificate {
  return wrapping(() => {
    if (typeof input !== 'string' && input[0] === 0x30) return checked(input, knownKey);
    const [first] = certificateBlocks(String(input));
    if (first === undefined) throw new MeshrootError('bad-pem', 'there is no CERTIFICATE block');
    return knownKey === undefined ? ofBlock(first) : checked(first, knownKey);
  });
}

/** Every CERTIFICATE block of a PEM text, in order; [] when there is none. @throws MeshrootError `bad-certificate` */
export function parseCertificates(pem: string): Certificate[] {
  return wrapping(() => certificateBlocks(pem).map(ofBlock));
}

/**
 * The files of a bundle repeat its certificates, and a thousand bundles their root: one that was read a moment ago is not
 * read again, nor (see signedBy) its signature verified again.
 */
const recent = new Recent<string, Certificate>(64);
const ofBlock = (der: Buffer): Certificate => recent.get(der.toString('latin1'), () => checked(der));

function certificateBlocks(pem: string): Buffer[] {
  return pemBlocks(pem)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => der);
}

function checked(der: Buffer, knownKey?: Buffer): Certificate {
  const certificate = new DerCertificate(der);
  const { publicKeyDer } = certificate.fields;
  if (knownKey?.equals(publicKeyDer)) return certificate;
  try {
    void certificate.publicKey;
  } catch {
    throw new MeshrootError('bad-der', 'its public key is not of a kind that is known here');
  }
  return certificate;
}

function wrapping<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new MeshrootError('bad-certificate', `not a certificate: ${messageOf(cause)}`, { cause });
  }
}

/** Whether the issuer's name and key fit; says nothing about whether it was allowed to sign (see chain.ts). */
export function isSignedBy(child: Certificate, issuer: Certificate): boolean {
  if (!child.issuerDer.equals(issuer.subjectDer)) return false;
  const known = signedBy.get(child)?.get(issuer);
  if (known !== undefined) return known;
  const found = verifySignature(child.signatureOid, issuer.publicKey, child.tbs, child.signature);
  const judged = signedBy.get(child) ?? new WeakMap<Certificate, boolean>();
  signedBy.set(child, judged.set(issuer, found));
  return found;
}

/** Neither of two certificates ever changes, so that a signature that was checked once stays what it is. */
const signedBy = new WeakMap<Certificate, WeakMap<Certificate, boolean>>();

export const isSelfSigned = (certificate: Certificate): boolean => isSignedBy(certificate, certificate);
