import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  scrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import { MeshrootError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { octetString, oid, sequence, smallInteger } from './der/writer.ts';
import { type KeyPair, keyTypeOf } from './keys.ts';
import { toPem } from './pem.ts';

/** 16 MiB and five passes over it per guess; OpenSSL opens no more than 32 MiB. */
const cost = { N: 16_384, r: 8, p: 5 };

/** PBES2 (RFC 8018, appendix A), scrypt (RFC 7914, section 7), AES-256-CBC (csor.nist.gov). */
const oids = {
  pbes2: '1.2.840.113549.1.5.13',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;

const derive = promisify<Buffer, Buffer, number, typeof cost, Buffer>(scrypt);

/**
 * PEM of a private key under a passphrase, PKCS#8 that OpenSSL opens too. Node's own export would stretch the passphrase
 * by 2,048 rounds of PBKDF2 only, which is nothing for a key that signs ten years.
 */
export async function encryptPrivateKey(key: KeyObject, passphrase: Secret<string>): Promise<string> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const secret = await derive(Buffer.from(passphrase.reveal(), 'utf8'), salt, 32, cost);
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const sealed = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);
  const { N, r, p } = cost;
  const stretching = sequence(
    oid(oids.scrypt),
    sequence(octetString(salt), smallInteger(N), smallInteger(r), smallInteger(p)),
  );
  const scheme = sequence(
    oid(oids.pbes2),
    sequence(stretching, sequence(oid(oids.aes256Cbc), octetString(iv))),
  );
  return toPem('ENCRYPTED PRIVATE KEY', sequence(scheme, octetString(sealed)));
}

/**
 * The key of an encrypted PEM file, ours or OpenSSL's.
 * @throws MeshrootError `key-not-encrypted`, `wrong-passphrase`
 */
export function decryptPrivateKey(pem: string, passphrase: Secret<string>, name: string): KeyPair {
  if (!/ENCRYPTED/.test(pem)) {
    throw new MeshrootError('key-not-encrypted', `${name} is not protected by a passphrase`, {
      hint: `protect it, then remove the plain one: openssl pkcs8 -topk8 -scrypt -in ${name} -out encrypted-key.pem`,
      exit: 1,
    });
  }
  const privateKey = opened(pem, passphrase, name);
  const type = keyTypeOf(privateKey);
  if (type === undefined) throw new MeshrootError('bad-private-key', `${name} is no key of a CA`);
  return { type, privateKey, publicKey: createPublicKey(privateKey) };
}

function opened(pem: string, passphrase: Secret<string>, name: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase: passphrase.reveal() });
  } catch {
    throw new MeshrootError('wrong-passphrase', `the passphrase does not open ${name}`, { exit: 1 }); // OpenSSL's reason adds nothing
  }
}
