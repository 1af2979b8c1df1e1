import { constants, type KeyObject, sign as nodeSign, verify } from 'node:crypto';
import { MeshrootError } from '../lib/errors.ts';
import { explicit, nullValue, oid, sequence, smallInteger } from './der/writer.ts';
import { keyTypeOf } from './keys.ts';

/** Facts about a signature algorithm; code below receives the entry, never the name. */
export interface SignatureAlgorithm {
  /** As Go and OpenSSL print it. */
  readonly name: string;
  readonly oid: string;
  /** Digest for node:crypto; null where the algorithm brings its own (Ed25519). */
  readonly hash: string | null;
  readonly keyKind: 'rsa' | 'ec' | 'ed25519';
  /** Encoded AlgorithmIdentifier. RSA carries NULL parameters, the others none (RFC 4055, 5758, 8410). */
  readonly der: Buffer;
  /** RSASSA-PSS, with a salt as long as the digest. */
  readonly isPss?: true;
}

function algorithm(
  name: string,
  id: string,
  hash: string | null,
  keyKind: SignatureAlgorithm['keyKind'],
): SignatureAlgorithm {
  return {
    name,
    oid: id,
    hash,
    keyKind,
    der: keyKind === 'rsa' ? sequence(oid(id), nullValue) : sequence(oid(id)),
  };
}

const rsa384 = algorithm('SHA384-RSA', '1.2.840.113549.1.1.12', 'sha384', 'rsa');
const rsa512 = algorithm('SHA512-RSA', '1.2.840.113549.1.1.13', 'sha512', 'rsa');
/** A private key that somebody else holds (an HSM, Vault's transit engine): it signs, and is never seen. */
export interface RemoteKey {
  readonly publicKey: KeyObject;
  /** The signature over `data`: DER for EC, PKCS#1 v1.5 for RSA. */
  sign(algorithm: SignatureAlgorithm, data: Buffer): Promise<Buffer>;
}

export type SigningKey = KeyObject | RemoteKey;

const isRemote = (key: SigningKey): key is RemoteKey => 'sign' in key;

const pssOid = '1.2.840.113549.1.1.10';

/** RFC 4055, 3.1: digest, mask generation by the same digest, salt as long as it. */
function pss(bits: 256 | 384 | 512, hashOid: string): SignatureAlgorithm {
  const digest = sequence(oid(hashOid), nullValue);
  const mask = sequence(oid('1.2.840.113549.1.1.8'), digest);
  const parameters = sequence(explicit(0, digest), explicit(1, mask), explicit(2, smallInteger(bits / 8)));
  return {
    name: `SHA${bits}-RSAPSS`,
    oid: pssOid,
    hash: `sha${bits}`,
    keyKind: 'rsa',
    der: sequence(oid(pssOid), parameters),
    isPss: true,
  };
}

const pss256 = pss(256, '2.16.840.1.101.3.4.2.1');
const pss384 = pss(384, '2.16.840.1.101.3.4.2.2');
const pss512 = pss(512, '2.16.840.1.101.3.4.2.3');

const rsa256 = algorithm('SHA256-RSA', '1.2.840.113549.1.1.11', 'sha256', 'rsa');
const ec256 = algorithm('ECDSA-SHA256', '1.2.840.10045.4.3.2', 'sha256', 'ec');
const ec384 = algorithm('ECDSA-SHA384', '1.2.840.10045.4.3.3', 'sha384', 'ec');
const ec512 = algorithm('ECDSA-SHA512', '1.2.840.10045.4.3.4', 'sha512', 'ec');
const ed25519 = algorithm('Ed25519', '1.3.101.112', null, 'ed25519');

/** What we verify beside RSASSA-PSS; SHA-1 is not among it, as no mesh CA signs with it. */
const known: readonly SignatureAlgorithm[] = [rsa256, rsa384, rsa512, ec256, ec384, ec512, ed25519];

const ecAlgorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ['ec-p256', ec256],
  ['ec-p384', ec384],
  ['ec-p521', ec512],
  ['ed25519', ed25519],
]);

const byOid = new Map(known.map((entry) => [entry.oid, entry]));

/** The algorithm of an object identifier, or undefined when we do not verify it or the identifier does not tell. */
export const signatureAlgorithmOf = (id: string): SignatureAlgorithm | undefined => byOid.get(id);

/** RSASSA-PSS by an RSA key. @param bits of the digest: 256, 384 or 512 */
export const pssAlgorithm = (bits: number): SignatureAlgorithm =>
  bits === 512 ? pss512 : bits === 384 ? pss384 : pss256;

/**
 * What a key signs with: Go's defaults by key, which istiod uses. The digest of an EC key follows its curve; that of an
 * RSA key may be chosen.
 * @param rsaBits of the digest: 256, 384 or 512
 * @throws MeshrootError `unsupported-key`
 */
export function algorithmForKey(signingKey: SigningKey, rsaBits = 256): SignatureAlgorithm {
  const key = isRemote(signingKey) ? signingKey.publicKey : signingKey;
  const type = keyTypeOf(key);
  if (type?.startsWith('rsa-') === true) return rsaBits === 512 ? rsa512 : rsaBits === 384 ? rsa384 : rsa256;
  const found = ecAlgorithms.get(type ?? '');
  if (found === undefined) {
    throw new MeshrootError(
      'unsupported-key',
      `a key of kind ${key.asymmetricKeyType} cannot sign certificates`,
    );
  }
  return found;
}

const pssPadding = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
} as const;

/**
 * Signs `data`. RSA goes to the thread pool, as one RSA-4096 signature holds a core for milliseconds; an EC
 * signature takes 20 µs, less than the way there and back.
 */
export function signData(algorithm: SignatureAlgorithm, key: SigningKey, data: Buffer): Promise<Buffer> {
  if (isRemote(key)) return key.sign(algorithm, data);
  if (algorithm.keyKind !== 'rsa') return Promise.resolve(nodeSign(algorithm.hash, data, key));
  const input = algorithm.isPss ? { key, ...pssPadding } : key;
  return new Promise((resolve, reject) => {
    nodeSign(algorithm.hash, data, input, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    );
  });
}

/** Whether `signature` over `data` was made with the private half of `key`; false for an unknown algorithm. */
export function verifySignature(
  algorithmOid: string,
  key: KeyObject,
  data: Buffer,
  signature: Buffer,
): boolean {
  if (algorithmOid === pssOid && key.asymmetricKeyType === 'rsa') {
    // The identifier alone does not name the digest; a signature fits one of them or none.
    return [pss256, pss384, pss512].some(({ hash }) =>
      safely(() => verify(hash, data, { key, ...pssPadding }, signature)),
    );
  }
  const algorithm = algorithmFor(algorithmOid, key);
  if (algorithm === undefined) return false;
  return safely(() => verify(algorithm.hash, data, key, signature));
}

/** OpenSSL throws on signatures that are not even well formed. */
function safely(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}

/** The same on the thread pool, for whoever serves others meanwhile: OpenSSL needs four times as long as for a signature. */
export function verifySignatureAside(
  algorithmOid: string,
  key: KeyObject,
  data: Buffer,
  signature: Buffer,
): Promise<boolean> {
  const algorithm = algorithmFor(algorithmOid, key);
  if (algorithm === undefined) return Promise.resolve(verifySignature(algorithmOid, key, data, signature)); // PSS, or none
  return new Promise((resolve) => {
    verify(algorithm.hash, data, key, signature, (error, valid) => resolve(error === null && valid));
  });
}

function algorithmFor(algorithmOid: string, key: KeyObject): SignatureAlgorithm | undefined {
  const algorithm = byOid.get(algorithmOid);
  return algorithm?.keyKind === key.asymmetricKeyType ? algorithm : undefined;
}
