import { MeshrootError, messageOf } from '../lib/errors.ts';
import { freshestCrl } from './access-extensions.ts';
import type { Certificate } from './certificate.ts';
import { badDer, DerReader } from './der/reader.ts';
import { explicitTag, tags } from './der/tags.ts';
import { readBitBytes, readSmallInteger, readTime, readUnsigned } from './der/values.ts';
import { bitString, explicit, sequence, smallInteger, time, unsigned } from './der/writer.ts';
import { describeCertificate } from './describe.ts';
import { authorityKeyId, extension } from './extensions.ts';
import type { Issuer } from './issuer.ts';
import { keyMatches } from './keys.ts';
import { decodeName, type Name } from './name.ts';
import { pemBlocks, toPem } from './pem.ts';
import { algorithmOid } from './read-certificate.ts';
import { type Extension, readExtensions } from './read-extensions.ts';
import { algorithmForKey, type SignatureAlgorithm, signData, verifySignature } from './signature.ts';

const numberOid = '2.5.29.20';
const deltaOid = '2.5.29.27';
const authorityOid = '2.5.29.35';
const freshestOid = '2.5.29.46';

export interface RevokedCertificate {
  /** Lower-case hex, as in {@link Certificate}. */
  readonly serial: string;
  /** When, in ms. */
  readonly time: number;
  /** Encoded, as they are to be written; not read back. */
  readonly extensions?: readonly Buffer[];
}

/** A certificate revocation list (RFC 5280, 5). Times in ms. */
export interface Crl {
  /** 1 is what `openssl ca -gencrl` writes without `crl_extensions`; Go, and so istiod, reads 2 alone. */
  readonly version: 1 | 2;
  readonly der: Buffer;
  /** Ends with exactly one newline. */
  readonly pem: string;
  readonly issuer: Name;
  readonly issuerDer: Buffer;
  readonly number: number | undefined;
  /** Set on a delta: the number of the complete list that it adds to. */
  readonly deltaBase: number | undefined;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly revoked: readonly RevokedCertificate[];
  readonly authorityKeyId: string | undefined;
  readonly tbs: Buffer;
  readonly signatureOid: string;
  readonly signature: Buffer;
}

export interface CrlOptions {
  readonly issuer: Issuer;
  readonly number: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly RevokedCertificate[];
  /** Makes a delta to this complete list. */
  readonly deltaBase?: number;
  /** Where the deltas of this complete list are. */
  readonly deltaUrls?: readonly string[];
  readonly algorithm?: SignatureAlgorithm;
  /** More encoded extensions. */
  readonly extensions?: readonly Buffer[];
}

/**
 * Signs a list of version 2. istiod takes a list only when the CA that signed it has cRLSign, so a CA without it is
 * refused here.
 * @throws MeshrootError `issuer-unusable`
 */
export const createCrl = async (options: CrlOptions): Promise<Crl> => readCrl(await signCrl(options));

/** The list's DER alone: also of one with extensions that nothing here understands. @throws MeshrootError `issuer-unusable` */
export async function signCrl(options: CrlOptions): Promise<Buffer> {
  const { issuer, thisUpdate, nextUpdate, revoked } = options;
  requireCrlSigner(issuer);
  const algorithm = options.algorithm ?? algorithmForKey(issuer.privateKey);
  const tbs = sequence(
    smallInteger(1), // version 2
    algorithm.der,
    issuer.certificate.subjectDer,
    time(thisUpdate),
    time(nextUpdate),
    ...(revoked.length === 0 ? [] : [sequence(...revoked.map(entry))]),
    explicit(0, sequence(...crlExtensions(options))),
  );
  const signature = await signData(algorithm, issuer.privateKey, tbs);
  return sequence(tbs, algorithm.der, bitString(signature));
}

const entry = ({ serial, time: at, extensions = [] }: RevokedCertificate): Buffer =>
  sequence(
    unsigned(Buffer.from(serial.length % 2 === 0 ? serial : `0${serial}`, 'hex')),
    time(at),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  );

function crlExtensions({ issuer, number, deltaBase, deltaUrls = [], extensions = [] }: CrlOptions): Buffer[] {
  const id = issuer.certificate.subjectKeyId;
  return [
    ...(id === undefined ? [] : [authorityKeyId(Buffer.from(id, 'hex'))]),
    extension(numberOid, false, smallInteger(number)),
    ...(deltaBase === undefined ? [] : [extension(deltaOid, true, smallInteger(deltaBase))]),
    ...(deltaUrls.length === 0 ? [] : [freshestCrl(deltaUrls)]),
    ...extensions,
  ];
}

function requireCrlSigner({ certificate, privateKey }: Issuer): void {
  const why = !certificate.isCa
    ? 'it is not a CA'
    : certificate.keyUsage?.has('cRLSign') === false
      ? 'its key usage lacks cRLSign'
      : !keyMatches(certificate, privateKey)
        ? 'the key is not its own'
        : undefined;
  if (why === undefined) return;
  const message = `${describeCertificate(certificate)} cannot sign a CRL: ${why}`;
  throw new MeshrootError('issuer-unusable', message, { exit: 1 });
}

/** Reads a list, DER or the first block of a PEM text. @throws MeshrootError `bad-crl` */
export function parseCrl(input: string | Buffer): Crl {
  try {
    return readCrl(typeof input !== 'string' && input[0] === 0x30 ? input : firstBlock(String(input)));
  } catch (cause) {
    throw new MeshrootError('bad-crl', `not a CRL: ${messageOf(cause)}`, { cause });
  }
}

/** Every `X509 CRL` block of a text. @throws MeshrootError `bad-crl` */
export function parseCrls(pem: string): Crl[] {
  try {
    return pemBlocks(pem)
      .filter(({ label }) => label === 'X509 CRL')
      .map(({ der }) => readCrl(der));
  } catch (cause) {
    throw new MeshrootError('bad-crl', `not a CRL: ${messageOf(cause)}`, { cause });
  }
}

function firstBlock(pem: string): Buffer {
  const block = pemBlocks(pem).find(({ label }) => label === 'X509 CRL');
  if (block === undefined) throw new MeshrootError('bad-pem', 'there is no X509 CRL block');
  return block.der;
}

/** Whether name and signature are the issuer's, and whether it may sign lists at all. */
export function isCrlSignedBy(crl: Crl, issuer: Certificate): boolean {
  if (!crl.issuerDer.equals(issuer.subjectDer) || issuer.keyUsage?.has('cRLSign') === false) return false;
  return verifySignature(crl.signatureOid, issuer.publicKey, crl.tbs, crl.signature);
}

function readCrl(der: Buffer): Crl {
  const outer = new DerReader(der, 0, maxCrlSize);
  const list = outer.enter(tags.sequence, 'the list');
  outer.end('the list');
  const tbs = list.next(tags.sequence, 'the signed part');
  const signatureOid = algorithmOid(list.enter(tags.sequence, 'the signature algorithm'));
  const signature = readBitBytes(list.next(tags.bitString, 'the signature'), 'the signature');
  list.end('the list');
  return {
    der,
    get pem() {
      return toPem('X509 CRL', der);
    },
    ...readBody(list.inside(tbs)),
    tbs: tbs.raw,
    signatureOid,
    signature,
  };
}

/** The longest length that the reader takes; some 400,000 revoked certificates. */
const maxCrlSize = 16 * 1024 * 1024 - 1;

type Body = Omit<Crl, 'der' | 'pem' | 'tbs' | 'signatureOid' | 'signature'>;

function readBody(body: DerReader): Body {
  const version = body.optional(tags.integer, 'the version');
  if (version !== undefined && readSmallInteger(version, 'the version') !== 1)
    throw badDer('the version is not 2');
  body.next(tags.sequence, 'the inner signature algorithm');
  const issuer = body.next(tags.sequence, 'the issuer');
  const thisUpdate = readTime(body.next(undefined, 'the time of the list'));
  const next =
    body.optional(tags.utcTime, 'the next time') ?? body.optional(tags.generalizedTime, 'the next time');
  const entries = body.optional(tags.sequence, 'the entries');
  const block = body.optional(explicitTag(0), 'the extensions');
  body.end('the signed part');
  const extensions =
    block === undefined ? [] : readExtensions(body.inside(block).enter(tags.sequence, 'the extensions'));
  requireUnderstood(extensions);
  return {
    version: version === undefined ? 1 : 2,
    issuer: decodeName(issuer),
    issuerDer: issuer.raw,
    thisUpdate,
    nextUpdate: next === undefined ? undefined : readTime(next),
    revoked: entries === undefined ? [] : readEntries(body.inside(entries)),
    number: integerOf(extensions, numberOid),
    deltaBase: integerOf(extensions, deltaOid),
    authorityKeyId: authorityOf(extensions),
  };
}

/** RFC 5280, 5.2: a list with a critical extension that is not understood must not be used. */
function requireUnderstood(extensions: readonly Extension[]): void {
  const known = [numberOid, deltaOid, authorityOid, freshestOid];
  const strange = extensions.find(({ critical, oid }) => critical && !known.includes(oid));
  if (strange !== undefined) throw badDer(`critical extension ${strange.oid} is not understood`);
}

function readEntries(reader: DerReader): RevokedCertificate[] {
  const found: RevokedCertificate[] = [];
  while (!reader.done) {
    const one = reader.enter(tags.sequence, 'an entry');
    const serial = readUnsigned(one.next(tags.integer, 'a serial number'), 21, 'a serial number').toString(
      'hex',
    );
    found.push({ serial, time: readTime(one.next(undefined, 'a time')) });
    one.optional(tags.sequence, 'the extensions of an entry');
    one.end('an entry');
  }
  return found;
}

function integerOf(extensions: readonly Extension[], id: string): number | undefined {
  const found = extensions.find(({ oid }) => oid === id);
  if (found === undefined) return undefined;
  const reader = new DerReader(found.value);
  const bytes = readUnsigned(reader.next(tags.integer, 'a number'), 20, 'a number');
  reader.end('a number');
  return Number(`0x${bytes.toString('hex') || '0'}`);
}

function authorityOf(extensions: readonly Extension[]): string | undefined {
  const found = extensions.find(({ oid }) => oid === authorityOid);
  if (found === undefined) return undefined;
  const inner = new DerReader(found.value).enter(tags.sequence, 'the authority key id');
  return inner.optional(0x80, 'the authority key id')?.content.toString('hex');
}
