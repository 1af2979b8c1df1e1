import type { KeyObject } from 'node:crypto';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { SubjectAltNames } from './alt-names.ts';
import { DerReader } from './der/reader.ts';
import { explicitTag, tags } from './der/tags.ts';
import { readBitBytes, readOid, readSmallInteger } from './der/values.ts';
import { bitString, explicit, oid, sequence, setOf, smallInteger } from './der/writer.ts';
import { subjectAltName } from './extensions.ts';
import type { KeyPair } from './keys.ts';
import { decodeName, encodeName, type Name } from './name.ts';
import { extensionRequestOid } from './oids.ts';
import { pemBlocks, toPem } from './pem.ts';
import { algorithmOid } from './read-certificate.ts';
import { type Extension, knownExtensions, readExtensions } from './read-extensions.ts';
import { algorithmForKey, signData, verifySignature, verifySignatureAside } from './signature.ts';
import { importSpki, spkiOf } from './spki.ts';

/** A certification request (PKCS#10, RFC 2986). */
export interface Csr {
  readonly der: Buffer;
  readonly subject: Name;
  /** As it stands in the request. */
  readonly subjectDer: Buffer;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, canonical. */
  readonly publicKeyDer: Buffer;
  readonly sans: SubjectAltNames;
  /** All extensions that are asked for, also those that we would not grant. */
  readonly extensions: readonly Extension[];
  readonly signatureValid: boolean;
}

export interface CsrOptions {
  readonly key: KeyPair;
  readonly subject?: Name;
  readonly sans?: Partial<SubjectAltNames>;
  /** pilot-agent and ztunnel mark the names critical, as the subject is empty. */
  readonly sanCritical?: boolean;
  /** More encoded extensions to ask for. */
  readonly extensions?: readonly Buffer[];
}

/** PEM of a request signed with the key. */
export async function createCsr(options: CsrOptions): Promise<string> {
  const { key, subject = [], sans, sanCritical = false } = options;
  const wanted = [
    ...(sans === undefined ? [] : [subjectAltName(sans, sanCritical)]),
    ...(options.extensions ?? []),
  ];
  const attributes = wanted.length === 0 ? [] : [extensionRequest(wanted)];
  const body = sequence(
    smallInteger(0),
    encodeName(subject),
    spkiOf(key.publicKey),
    explicit(0, ...attributes),
  );
  const algorithm = algorithmForKey(key.privateKey);
  const signature = await signData(algorithm, key.privateKey, body);
  return toPem('CERTIFICATE REQUEST', sequence(body, algorithm.der, bitString(signature)));
}

const extensionRequest = (extensions: readonly Buffer[]): Buffer =>
  sequence(oid(extensionRequestOid), setOf(sequence(...extensions)));

/**
 * Reads a request, DER or PEM. Accepted are also the shapes of pilot-agent (one attribute `O=""`) and ztunnel (no
 * subject at all). A wrong signature does not throw: the caller answers it in its own words.
 * @throws MeshrootError `bad-csr`
 */
export function parseCsr(input: string | Buffer): Csr {
  const { csr, proof } = readInput(input);
  return { ...csr, signatureValid: verifySignature(...proof) };
}

/** `parseCsr` whose signature is checked on the thread pool. @throws MeshrootError `bad-csr` */
export async function parseCsrAside(input: string | Buffer): Promise<Csr> {
  const { csr, proof } = readInput(input);
  return { ...csr, signatureValid: await verifySignatureAside(...proof) };
}

function readInput(input: string | Buffer): UnprovenCsr {
  try {
    return readCsr(typeof input !== 'string' && input[0] === 0x30 ? input : csrBlock(String(input)));
  } catch (cause) {
    throw new MeshrootError('bad-csr', `not a certificate request: ${messageOf(cause)}`, {
      cause,
      status: 400,
    });
  }
}

/** DER of the request in a PEM text: the first, which is the one that `parseCsr` reads. @throws MeshrootError `bad-pem` */
export function csrBlock(pem: string): Buffer {
  const block = pemBlocks(pem).find(({ label }) => /^(NEW )?CERTIFICATE REQUEST$/.test(label));
  if (block === undefined) throw new MeshrootError('bad-pem', 'there is no CERTIFICATE REQUEST block');
  return block.der;
}

/** What was read, and what is left to ask of its signature. */
interface UnprovenCsr {
  readonly csr: Omit<Csr, 'signatureValid'>;
  readonly proof: Parameters<typeof verifySignature>;
}

function readCsr(der: Buffer): UnprovenCsr {
  const outer = new DerReader(der);
  const request = outer.enter(tags.sequence, 'the request');
  outer.end('the request');
  const signed = request.next(tags.sequence, 'the signed part');
  const algorithm = algorithmOid(request.enter(tags.sequence, 'the signature algorithm'));
  const signature = readBitBytes(request.next(tags.bitString, 'the signature'), 'the signature');
  request.end('the request');

  const body = request.inside(signed);
  readSmallInteger(body.next(tags.integer, 'the version'), 'the version');
  const subjectNode = body.next(tags.sequence, 'the subject');
  const publicKey = importPublicKey(body.next(tags.sequence, 'the public key').raw);
  const attributes = body.optional(explicitTag(0), 'the attributes');
  body.end('the signed part');
  const extensions = attributes === undefined ? [] : readAttributes(body.inside(attributes));
  const csr = {
    der,
    subject: decodeName(subjectNode),
    subjectDer: subjectNode.raw,
    publicKey,
    publicKeyDer: spkiOf(publicKey),
    sans: knownExtensions(extensions).sans,
    extensions,
  };
  return { csr, proof: [algorithm, publicKey, signed.raw, signature] };
}

function readAttributes(reader: DerReader): Extension[] {
  const found: Extension[] = [];
  while (!reader.done) {
    const attribute = reader.enter(tags.sequence, 'an attribute');
    const id = readOid(attribute.next(tags.oid, 'the type of an attribute'));
    const values = attribute.enter(tags.set, 'the values of an attribute');
    attribute.end('an attribute');
    if (id === extensionRequestOid)
      found.push(...readExtensions(values.enter(tags.sequence, 'the extensions')));
  }
  return found;
}

function importPublicKey(der: Buffer): KeyObject {
  try {
    return importSpki(der);
  } catch {
    throw new MeshrootError('bad-der', 'its public key is not of a kind that is known here');
  }
}
