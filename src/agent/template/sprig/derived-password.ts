import { createHmac, scryptSync } from 'node:crypto';

const scope = Buffer.from('com.lyndir.masterpassword');

/** Which kind of character stands where, by kind of password: the Master Password algorithm, version 3. */
const patterns: Readonly<Record<string, string>> = {
  maximum: 'anoxxxxxxxxxxxxxxxxx axxxxxxxxxxxxxxxxxno',
  long:
    'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
    'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
    'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno',
  medium: 'CvcnoCvc CvcCvcno',
  short: 'Cvcn',
  basic: 'aaanaaan aannaaan aaannaaa',
  pin: 'nnnn',
};

const [capitals, smalls] = ['BCDFGHJKLMNPQRSTVWXYZ', 'bcdfghjklmnpqrstvwxyz'];
const letters = `AEIOUaeiou${capitals}${smalls}`;
const characters: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: capitals,
  v: 'aeiou',
  c: smalls,
  A: `AEIOU${capitals}`,
  a: letters,
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: `${letters}0123456789!@#$%^&*()`,
};

/** A password for a site that needs not be stored: the same for the same five values. */
export function derivedPassword(
  counter: number,
  type: string,
  password: Buffer,
  user: Buffer,
  site: Buffer,
): string {
  const choices = patterns[type]?.split(' ');
  if (choices === undefined) return `cannot find password template ${type}`;
  const salt = Buffer.concat([scope, number(user.length), user]);
  const key = scryptSync(password, salt, 64, { N: 32768, r: 8, p: 2, maxmem: 64 * 1024 * 1024 });
  const seed = createHmac('sha256', key)
    .update(Buffer.concat([scope, number(site.length), site, number(counter)]))
    .digest();
  const pattern = choices[(seed[0] ?? 0) % choices.length] ?? '';
  return [...pattern]
    .map((kind, i) => {
      const from = characters[kind] ?? '';
      return from[(seed[i + 1] ?? 0) % from.length];
    })
    .join('');
}

function number(n: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(n);
  return out;
}
