import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { define, type FunctionTable } from '../functions/define.ts';
import { encodingFunctions } from '../functions/encoding.ts';
import { type Args, FunctionError, type GoFunction, GoStruct } from '../values.ts';
import { base32Decode, base32Encode } from './base32.ts';
import { derivedPassword } from './derived-password.ts';

const s = 'string';
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const hash = (algorithm: string): GoFunction =>
  define([s], s, (a) =>
    createHash(algorithm)
      .update(bytes(a.text(0)))
      .digest('hex'),
  );

/** What makes something new at each rendering: the file would change, and its reader restart, for ever. */
const everNew: Readonly<Record<string, string>> = {
  bcrypt: 'hash the password once and store the hash',
  htpasswd: 'hash the password once and store the line',
  genPrivateKey: 'use pkiCert, or istioCA for an intermediate',
  genCA: 'use istioCA',
  genCAWithKey: 'use istioCA',
  genSelfSignedCert: 'use pkiCert',
  genSelfSignedCertWithKey: 'use pkiCert',
  genSignedCert: 'use pkiCert',
  genSignedCertWithKey: 'use pkiCert',
};

/** Sums, codes and ciphers. */
export const cryptoFunctions: FunctionTable = {
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: define([s], s, (a) => String(adler32(bytes(a.text(0))))),
  b64enc: encodingFunctions.base64Encode as GoFunction,
  b64dec: define([s], s, base64Decode),
  b32enc: define([s], s, (a) => base32Encode(bytes(a.text(0)))),
  b32dec: define([s], s, (a) => base32Decode(a.text(0))),
  encryptAES: define([s, s], s, (a) => encryptAes(bytes(a.text(0)), bytes(a.text(1)))),
  decryptAES: define([s, s], s, (a) => decryptAes(bytes(a.text(0)), Buffer.from(a.text(1), 'base64'))),
  derivePassword: define(['uint32', s, s, s, s], s, (a) =>
    derivedPassword(Number(a.int(0)), a.text(1), bytes(a.text(2)), bytes(a.text(3)), bytes(a.text(4))),
  ),
  buildCustomCert: define([s, s], 'sprig.certificate', (a) => certificateOf(a.text(0), a.text(1))),
  ...Object.fromEntries(Object.entries(everNew).map(([name, instead]) => [name, refused(name, instead)])),
};

function refused(name: string, instead: string): GoFunction {
  return define(['...interface {}'], s, () => {
    throw new FunctionError(`sprig_${name} gives something else at each rendering; ${instead}`);
  });
}

/** RFC 1950, section 8.2. */
function adler32(data: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** The text of the error takes the place of what cannot be decoded. */
function base64Decode(a: Args): string {
  try {
    return String((encodingFunctions.base64Decode as GoFunction).call(a));
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return error.message.replace('base64Decode: ', '');
  }
}

/** AES-256-CBC with the password, cut or filled with zeros, as key; the vector comes first. */
function encryptAes(password: Buffer, plain: Buffer): string {
  const vector = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', keyOf(password), vector);
  return Buffer.concat([vector, cipher.update(plain), cipher.final()]).toString('base64');
}

function decryptAes(password: Buffer, sealed: Buffer): string {
  if (sealed.length < 32 || sealed.length % 16 !== 0)
    throw new FunctionError('crypto/cipher: input not full blocks');
  const decipher = createDecipheriv('aes-256-cbc', keyOf(password), sealed.subarray(0, 16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]).toString('latin1');
  } catch {
    throw new FunctionError('the text was not encrypted with this password');
  }
}

function keyOf(password: Buffer): Buffer {
  return Buffer.concat([password, Buffer.alloc(32)]).subarray(0, 32);
}

function certificateOf(certificate: string, key: string): GoStruct {
  for (const [text, what] of [
    [certificate, 'certificate'],
    [key, 'private key'],
  ] as const)
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, '')))
      throw new FunctionError(`unable to decode base64 ${what}`);
  const [cert, privateKey] = [Buffer.from(certificate, 'base64'), Buffer.from(key, 'base64')];
  try {
    new X509Certificate(cert);
  } catch {
    throw new FunctionError('unable to decode certificate');
  }
  try {
    createPrivateKey(privateKey);
  } catch {
    throw new FunctionError('error parsing private key: no PEM data in input');
  }
  const fields = [
    ['Cert', cert.toString('latin1')],
    ['Key', privateKey.toString('latin1')],
  ] as const;
  return new GoStruct('sprig.certificate', new Map(fields));
}
