import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { type PemBlock, pemBlocks, toPem } from './pem.ts';

/** Keys that we make. */
export type KeyType = 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'ec-p256' | 'ec-p384' | 'ec-p521' | 'ed25519';
/** Keys that we meet: RSA of any size. */
export type FoundKeyType = KeyType | `rsa-${number}`;

export interface KeyPair {
  readonly type: FoundKeyType;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const keyTypes: readonly KeyType[] = [
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'ec-p256',
  'ec-p384',
  'ec-p521',
  'ed25519',
];

const curveTypes: Readonly<Record<string, KeyType>> = {
  prime256v1: 'ec-p256',
  secp384r1: 'ec-p384',
  secp521r1: 'ec-p521',
};

const generateAsync = promisify(generate);

/** A fresh key pair, made on the thread pool (RSA-4096 takes seconds). */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  return { type, ...(await newKeys(type)) };
}

function newKeys(type: KeyType): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  if (type === 'ed25519') return generateAsync('ed25519');
  const curve = Object.keys(curveTypes).find((name) => curveTypes[name] === type);
  if (curve !== undefined) return generateAsync('ec', { namedCurve: curve });
  return generateAsync('rsa', { modulusLength: Number(type.slice(4)), publicExponent: 0x10001 });
}

/** What kind a key is, or undefined for one that X.509 in a mesh does not use (DSA, X25519, other curves). */
export function keyTypeOf(key: KeyObject): FoundKeyType | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === 'ed25519') return 'ed25519';
  if (kind === 'rsa') return `rsa-${details?.modulusLength ?? 0}`;
  return kind === 'ec' ? curveTypes[details?.namedCurve ?? ''] : undefined;
}

const privateLabels = ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];

/**
 * The first private key of a PEM text: PKCS#8, PKCS#1 or SEC 1, also after an `EC PARAMETERS` block.
 * @throws MeshrootError `bad-private-key`; the message never holds a part of the text
 */
export function parsePrivateKey(pem: string): KeyPair {
  const block = keyBlocks(pem).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) throw badKey('no private key block was found');
  if (block.hasHeaders || block.label === 'ENCRYPTED PRIVATE KEY') {
    throw badKey('the private key is encrypted', 'decrypt it first: openssl pkey -in FILE -out PLAIN');
  }
  if (!privateLabels.includes(block.label)) throw badKey(`a ${block.label} block is not understood here`);
  const privateKey = importKey(block);
  const type = keyTypeOf(privateKey);
  if (type === undefined) throw badKey('the key is neither RSA, P-256, P-384, P-521 nor Ed25519');
  return { type, privateKey, publicKey: createPublicKey(privateKey) };
}

function keyBlocks(pem: string): PemBlock[] {
  try {
    return pemBlocks(pem);
  } catch (error) {
    // pemBlocks names labels and lengths only, so its text may be shown
    throw badKey(error instanceof MeshrootError ? error.message : 'not PEM');
  }
}

function importKey({ label, der }: PemBlock): KeyObject {
  try {
    return createPrivateKey({ key: toPem(label, der), format: 'pem' });
  } catch {
    throw badKey(`the ${label} block does not hold a key`); // OpenSSL's reason adds nothing and might quote input
  }
}

function badKey(message: string, hint?: string): MeshrootError {
  return new MeshrootError('bad-private-key', message, hint === undefined ? {} : { hint });
}

/**
 * PEM of a private key, unencrypted, one newline at the end.
 * @param format `pkcs8` (as OpenSSL 3 and ztunnel), or `traditional`: PKCS#1 for RSA, SEC 1 for EC
 */
export function privateKeyPem(key: KeyObject, format: 'pkcs8' | 'traditional' = 'pkcs8'): Secret<string> {
  const kind = key.asymmetricKeyType;
  const type = format === 'pkcs8' ? 'pkcs8' : kind === 'rsa' ? 'pkcs1' : kind === 'ec' ? 'sec1' : 'pkcs8';
  return new Secret(String(key.export({ type, format: 'pem' })));
}

/** PEM (SubjectPublicKeyInfo) of the public half. */
export function publicKeyPem(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

/** Whether `key`, private or public, belongs to the certificate (or to whatever else names its public key). */
export function keyMatches(certificate: { readonly publicKey: KeyObject }, key: KeyObject): boolean {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return samePublicKey(certificate.publicKey, publicKey);
}

/** Whether two public keys are one. Node throws when it is asked to compare keys of two kinds. */
export const samePublicKey = (a: KeyObject, b: KeyObject): boolean =>
  a.asymmetricKeyType === b.asymmetricKeyType && a.equals(b);
