import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Certificate } from './certificate.ts';
import { DerReader } from './der/reader.ts';
import { tags } from './der/tags.ts';
import { readBitBytes, readTime } from './der/values.ts';
import { pemBlocks } from './pem.ts';
import { algorithmOid } from './read-certificate.ts';
import { verifySignature } from './signature.ts';

/** A certificate revocation list (RFC 5280, 5.1): who signed it and when it ends, not what it lists. */
export interface Crl {
  readonly issuerDer: Buffer;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly tbs: Buffer;
  readonly signatureOid: string;
  readonly signature: Buffer;
}

/** Every `X509 CRL` block of a text. @throws MeshrootError `bad-crl` */
export function parseCrls(pem: string): Crl[] {
  try {
    return pemBlocks(pem)
      .filter(({ label }) => label === 'X509 CRL')
      .map(({ der }) => readCrl(der));
  } catch (cause) {
    throw new MeshrootError('bad-crl', `not a revocation list: ${messageOf(cause)}`, { cause });
  }
}

export function isCrlOf(crl: Crl, issuer: Certificate): boolean {
  if (!crl.issuerDer.equals(issuer.subjectDer) || issuer.keyUsage?.has('cRLSign') === false) return false;
  return verifySignature(crl.signatureOid, issuer.publicKey, crl.tbs, crl.signature);
}

function readCrl(der: Buffer): Crl {
  const outer = new DerReader(der);
  const list = outer.enter(tags.sequence, 'the list');
  outer.end('the list');
  const tbs = list.next(tags.sequence, 'the signed part');
  const signatureOid = algorithmOid(list.enter(tags.sequence, 'the signature algorithm'));
  const signature = readBitBytes(list.next(tags.bitString, 'the signature'), 'the signature');
  list.end('the list');
  const body = list.inside(tbs);
  body.optional(tags.integer, 'the version');
  body.next(tags.sequence, 'the algorithm');
  const issuerDer = body.next(tags.sequence, 'the issuer').raw;
  const thisUpdate = readTime(body.next(undefined, 'the time of the update'));
  const next =
    body.optional(tags.utcTime, 'the next update') ?? body.optional(tags.generalizedTime, 'the next update');
  return {
    issuerDer,
    thisUpdate,
    nextUpdate: next === undefined ? undefined : readTime(next),
    tbs: tbs.raw,
    signatureOid,
    signature,
  };
}
