import { toPem } from '../../../x509/pem.ts';
import { requireType } from './key-types.ts';
import { rawPublicKey } from './signing.ts';
import { type KeyVersion, privateKeyOf, publicKeyOf, type TransitKey } from './store.ts';

/** PEM; the 32 bytes alone, in base64, for Ed25519. */
export function publicText(key: TransitKey, version: KeyVersion): string {
  const publicKey = publicKeyOf(version);
  if (requireType(key.type).kind === 'ed25519') return rawPublicKey(publicKey).toString('base64');
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

/** As upstream writes its kind of key, line breaks too; empty when only the public key is here. */
export function privateText(key: TransitKey, version: KeyVersion): string {
  const privateKey = privateKeyOf(version);
  if (privateKey === undefined) return '';
  const { kind } = requireType(key.type);
  if (kind === 'rsa') return String(privateKey.export({ type: 'pkcs1', format: 'pem' }));
  if (kind === 'ecdsa') return String(privateKey.export({ type: 'sec1', format: 'pem' })).trimEnd();
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')]).toString('base64');
}

/** PEM, leaf first, without the last line break; empty when there is none. */
export const chainPem = ({ chain = [] }: KeyVersion): string =>
  chain
    .map((der) => toPem('CERTIFICATE', Buffer.from(der, 'base64')))
    .join('')
    .trimEnd();
