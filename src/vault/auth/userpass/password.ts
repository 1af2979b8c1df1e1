import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** scrypt (RFC 7914) with 16 MiB of memory: about 50 ms, in libuv's threads. */
const cost = { N: 16_384, r: 8, p: 1 } as const;
const length = 32;

/** A password at rest. */
export interface PasswordHash {
  /** Base64. */
  readonly salt: string;
  readonly hash: string;
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { salt: salt.toString('base64'), hash: (await derive(password, salt)).toString('base64') };
}

/** Takes as long for a user who is not there: then `stored` is undefined and the answer no. */
export async function passwordMatches(password: string, stored: PasswordHash | undefined): Promise<boolean> {
  const derived = await derive(password, Buffer.from((stored ?? nobody).salt, 'base64'));
  const same = timingSafeEqual(derived, Buffer.from((stored ?? nobody).hash, 'base64'));
  return same && stored !== undefined;
}

const nobody: PasswordHash = {
  salt: Buffer.alloc(16).toString('base64'),
  hash: Buffer.alloc(length).toString('base64'),
};

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, cost, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
