import type { KeyObject } from 'node:crypto';
import { messageOf } from '../../../lib/errors.ts';
import { copiedExtension } from '../../../x509/access-extensions.ts';
import type { Certificate } from '../../../x509/certificate.ts';
import { type Csr, parseCsr } from '../../../x509/csr.ts';
import { DerReader } from '../../../x509/der/reader.ts';
import { tags } from '../../../x509/der/tags.ts';
import { readOid } from '../../../x509/der/values.ts';
import { subjectAltName, subjectKeyId } from '../../../x509/extensions.ts';
import { encodeAndSign } from '../../../x509/issuer.ts';
import { keyIdOfDer } from '../../../x509/key-id.ts';
import { keyTypeOf } from '../../../x509/keys.ts';
import { extensionOids } from '../../../x509/oids.ts';
import { algorithmForKey, pssAlgorithm, type SignatureAlgorithm } from '../../../x509/signature.ts';
import type { Context } from '../../core/backend.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Signer } from './issuers.ts';
import type { RequestedNames } from './requested-names.ts';
import type { Role } from './role.ts';
import { type RoleExtensions, urlExtensions } from './usages.ts';
import type { Validity } from './validity.ts';

/** A serial number of 20 bytes: positive, and always as long as it looks. */
export function newSerial({ random }: Pick<Context, 'random'>): Buffer {
  const serial = Buffer.from(random(20));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** The request of a call. @throws Refusal 400 */
export function csrOf(fields: Fields): Csr {
  const pem = textOf(fields, 'csr');
  if (pem === '') throw refuse('"csr" is empty');
  if (!pem.includes('-----BEGIN ') || !pem.includes('-----END ')) throw refuse('csr contains no data');
  let csr: Csr;
  try {
    csr = parseCsr(pem);
  } catch (error) {
    throw refuse(`certificate request could not be parsed: ${messageOf(error)}`);
  }
  if (!csr.signatureValid) throw refuse('request signature invalid');
  return csr;
}

const bitsOf: Readonly<Record<string, number>> = { 'ec-p256': 256, 'ec-p384': 384, 'ec-p521': 521 };

/** @throws Refusal 400 when the role wants another kind of key, or a longer one */
export function checkKey(key: KeyObject, role: Role): void {
  const found = keyTypeOf(key);
  if (found === undefined) throw refuse(`Unknown key type in CSR: ${key.asymmetricKeyType ?? 'none'}`);
  const kind = found.split('-', 1)[0] ?? '';
  if (role.key_type !== 'any' && role.key_type !== kind) {
    throw refuse(`role requires keys of type ${role.key_type}`);
  }
  const bits = kind === 'rsa' ? Number(found.slice(4)) : (bitsOf[found] ?? 0);
  if (role.key_type === 'any') {
    if (kind === 'rsa' && bits < 2048) throw refuse('RSA keys < 2048 bits are unsafe and not supported');
  } else if (bits < role.key_bits) {
    throw refuse(`role requires a minimum of a ${role.key_bits}-bit key, but CSR's key is ${bits} bits`);
  }
}

export interface LeafRequest {
  readonly signer: Signer;
  readonly role: Role;
  readonly publicKey: KeyObject;
  readonly publicKeyDer: Buffer;
  readonly names: RequestedNames;
  readonly validity: Validity;
  /** Usage, constraints and policies. */
  readonly extensions: RoleExtensions;
  readonly subjectKeyId?: Buffer;
  /** Its subject and extensions are taken as they are. */
  readonly verbatim: Csr | undefined;
  /** At the end: name constraints of a CA. */
  readonly more?: readonly Buffer[];
}

export interface Issued {
  readonly certificate: Certificate;
  readonly serial: string;
}

/** Extensions in the order of Go's x509.CreateCertificate. The names are critical when there is no subject. */
export async function certify(context: Context, request: LeafRequest): Promise<Issued> {
  const { signer, role, names, validity, verbatim } = request;
  const serial = newSerial(context);
  const parts = extensionsOf(context, request);
  const certificate = await encodeAndSign({
    issuerName: signer.prepared.name,
    subject: names.subject,
    ...(verbatim === undefined ? {} : { subjectDer: verbatim.subjectDer }),
    publicKey: request.publicKey,
    publicKeyDer: request.publicKeyDer,
    extensions: verbatim === undefined ? parts : withRequested(parts, verbatim),
    algorithm: signatureFor(signer, role.signature_bits, role.use_pss),
    signingKey: signer.privateKey,
    now: context.clock.now(),
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    serial,
  });
  return { certificate, serial: serial.toString('hex') };
}

/** An RSA key signs with the digest that the role says; others with the one that belongs to them. */
export function signatureFor(signer: Signer, bits: number, usePss: boolean): SignatureAlgorithm {
  if (signer.prepared.algorithm.keyKind !== 'rsa') return signer.prepared.algorithm;
  return usePss ? pssAlgorithm(bits) : algorithmForKey(signer.privateKey, bits);
}

function extensionsOf(context: Context, request: LeafRequest): Buffer[] {
  const { signer, names, extensions } = request;
  const urls = urlExtensions(context.store, signer.stored);
  const { authorityKeyId } = signer.prepared;
  return [
    ...extensions.usage,
    ...extensions.constraints,
    subjectKeyId(request.subjectKeyId ?? keyIdOfDer(request.publicKeyDer)),
    ...(authorityKeyId === undefined ? [] : [authorityKeyId]),
    ...urls.access,
    ...altNames(names),
    ...extensions.policies,
    ...(request.more ?? []),
    ...urls.points,
  ];
}

export function altNames({ sans, others, subject }: RequestedNames): Buffer[] {
  const count = sans.dns.length + sans.email.length + sans.ip.length + sans.uri.length + others.length;
  return count === 0 ? [] : [subjectAltName(sans, subject.length === 0, others)];
}

/** What a CSR may not say about itself: who it is signed by, its own key, and whether it is a CA. */
const ours: readonly string[] = [
  extensionOids.basicConstraints,
  extensionOids.authorityKeyId,
  extensionOids.subjectKeyId,
];

/** The CSR's own extensions take the place of what we would have written of the same kind. */
function withRequested(parts: readonly Buffer[], csr: Csr): Buffer[] {
  const asked = csr.extensions.filter(({ oid }) => !ours.includes(oid));
  const copied = asked.map(copiedExtension);
  const taken = new Set(asked.map(({ oid }) => oid));
  return [...parts.filter((der) => !taken.has(oidOf(der))), ...copied];
}

/** The identifier of an encoded extension. */
function oidOf(der: Buffer): string {
  const reader = new DerReader(der).enter(tags.sequence, 'an extension');
  return readOid(reader.next(tags.oid, 'the type of an extension'));
}
