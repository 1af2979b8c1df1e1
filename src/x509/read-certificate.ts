import { badDer, DerReader } from './der/reader.ts';
import { explicitTag, tags } from './der/tags.ts';
import { readBitBytes, readOid, readSmallInteger, readTime, readUnsigned } from './der/values.ts';
import { decodeName, type Name } from './name.ts';
import { type Extension, type KnownExtensions, knownExtensions, readExtensions } from './read-extensions.ts';

/** RFC 5280 allows 20 bytes; old OpenSSL wrote one more. */
const maxSerialBytes = 21;

export interface CertificateFields {
  readonly tbs: Buffer;
  readonly signatureOid: string;
  readonly signature: Buffer;
  readonly serial: string;
  readonly issuer: Name;
  readonly issuerDer: Buffer;
  readonly subject: Name;
  readonly subjectDer: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKeyDer: Buffer;
  readonly known: KnownExtensions;
}

/** Certificate (RFC 5280, 4.1), versions 1 to 3. @throws MeshrootError `bad-der` */
export function readCertificate(der: Buffer): CertificateFields {
  const outer = new DerReader(der);
  const certificate = outer.enter(tags.sequence, 'the certificate');
  outer.end('the certificate');
  const tbs = certificate.next(tags.sequence, 'the signed part');
  const algorithm = certificate.next(tags.sequence, 'the signature algorithm');
  const signature = readBitBytes(certificate.next(tags.bitString, 'the signature'), 'the signature');
  certificate.end('the certificate');
  const body = readBody(certificate.inside(tbs));
  if (!body.algorithm.equals(algorithm.raw)) throw badDer('the two signature algorithms differ');
  return { tbs: tbs.raw, signatureOid: algorithmOid(certificate.inside(algorithm)), signature, ...body };
}

function readBody(
  body: DerReader,
): Omit<CertificateFields, 'tbs' | 'signatureOid' | 'signature'> & { algorithm: Buffer } {
  const version = readVersion(body);
  const serial = readUnsigned(
    body.next(tags.integer, 'the serial number'),
    maxSerialBytes,
    'the serial number',
  );
  const algorithm = body.next(tags.sequence, 'the inner signature algorithm').raw;
  const issuer = body.next(tags.sequence, 'the issuer');
  const validity = body.enter(tags.sequence, 'the validity');
  const notBefore = readTime(validity.next(undefined, 'the start of validity'));
  const notAfter = readTime(validity.next(undefined, 'the end of validity'));
  validity.end('the validity');
  const subject = body.next(tags.sequence, 'the subject');
  const publicKeyDer = body.next(tags.sequence, 'the public key').raw;
  body.optional(0x81, 'the issuer id');
  body.optional(0x82, 'the subject id');
  const known = readExtensionBlock(body, version);
  body.end('the signed part');
  return {
    serial: serial.toString('hex'),
    algorithm,
    issuer: decodeName(issuer),
    issuerDer: issuer.raw,
    notBefore,
    notAfter,
    subject: decodeName(subject),
    subjectDer: subject.raw,
    publicKeyDer,
    known,
  };
}

/** All extensions of a certificate, also those that are not understood. @throws MeshrootError `bad-der` */
export function readCertificateExtensions(der: Buffer): Extension[] {
  const certificate = new DerReader(der).enter(tags.sequence, 'the certificate');
  const body = certificate.enter(tags.sequence, 'the signed part');
  while (!body.done) {
    const node = body.next(undefined, 'a part');
    if (node.tag !== explicitTag(3)) continue;
    return readExtensions(body.inside(node).enter(tags.sequence, 'the extensions'));
  }
  return [];
}

function readVersion(body: DerReader): number {
  const block = body.optional(explicitTag(0), 'the version');
  if (block === undefined) return 1;
  const inside = body.inside(block);
  const version = readSmallInteger(inside.next(tags.integer, 'the version'), 'the version') + 1;
  inside.end('the version');
  if (version < 1 || version > 3) throw badDer(`version ${version} is not known`);
  return version;
}

function readExtensionBlock(body: DerReader, version: number): KnownExtensions {
  const block = body.optional(explicitTag(3), 'the extensions');
  if (block === undefined) return knownExtensions([]);
  if (version !== 3) throw badDer(`a certificate of version ${version} cannot have extensions`);
  const inside = body.inside(block);
  const list = inside.enter(tags.sequence, 'the extensions');
  inside.end('the extensions');
  return knownExtensions(readExtensions(list));
}

/** The identifier of an AlgorithmIdentifier; parameters are not looked at, as none of ours has any that matter. */
export function algorithmOid(reader: DerReader): string {
  return readOid(reader.next(tags.oid, 'an algorithm'));
}
