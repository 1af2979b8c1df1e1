import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import type { SinkEncryption, SinkSettings } from '../config/config.ts';
import type { VaultAccess } from '../vault-access.ts';
import { wrapInfo } from './wrap-info.ts';

/**
 * What a sink's file is to hold: the token, or a wrapping token around it (as JSON), either of them encrypted for the
 * reader's curve25519 key (as JSON: our public key, nonce, payload), as `auto_auth.sink` of Vault Agent describes.
 * @throws MeshrootError `sink-wrap`, `sink-encrypt`
 */
export async function sinkPayload(
  sink: SinkSettings,
  token: Secret<string>,
  access: VaultAccess,
): Promise<string> {
  const text = sink.wrapTtlMs === undefined ? token.reveal() : await wrapped(token, sink.wrapTtlMs, access);
  return sink.encryption === undefined ? text : encrypted(text, sink.encryption);
}

async function wrapped(token: Secret<string>, ttlMs: number, access: VaultAccess): Promise<string> {
  const headers = { 'X-Vault-Wrap-TTL': `${Math.round(ttlMs / 1000)}s` };
  const body = { token: token.reveal() };
  const answer = await access.client(token).request('PUT', 'sys/wrapping/wrap', body, headers);
  const info = wrapInfo(answer.body);
  if (info === undefined)
    throw new MeshrootError('sink-wrap', `error wrapping token, not writing out to sink: ${answer.status}`, {
      exit: 1,
    });
  return JSON.stringify(info);
}

async function encrypted(text: string, settings: SinkEncryption): Promise<string> {
  const theirs = await readerKey(settings.path);
  const ours = generateKeyPairSync('x25519');
  const ourPublic = rawKey(ours.publicKey);
  const shared = diffieHellman({ privateKey: ours.privateKey, publicKey: theirs });
  const key = settings.deriveKey ? derivedKey(shared, ourPublic, rawKey(theirs)) : shared;
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(settings.additionalData));
  const payload = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return JSON.stringify({
    curve25519_public_key: ourPublic.toString('base64'),
    nonce: nonce.toString('base64'),
    encrypted_payload: payload.toString('base64'),
  });
}

/** HKDF-SHA256 with the smaller public key as salt and the larger one as info, so that both sides agree. */
function derivedKey(shared: Buffer, ours: Buffer, theirs: Buffer): Buffer {
  const [small, large] = ours.compare(theirs) < 0 ? [ours, theirs] : [theirs, ours];
  return Buffer.from(hkdfSync('sha256', shared, small, large, 32));
}

async function readerKey(path: string): Promise<KeyObject> {
  try {
    const body = JSON.parse(await readFile(path, 'utf8')) as { curve25519_public_key?: string };
    const x = Buffer.from(body.curve25519_public_key ?? '', 'base64');
    if (x.length !== 32) throw new Error('it has no curve25519_public_key of 32 bytes');
    return createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x: x.toString('base64url') },
      format: 'jwk',
    });
  } catch (error) {
    throw new MeshrootError('sink-encrypt', `error reading dh parameters ${path}: ${messageOf(error)}`, {
      exit: 1,
      hint: 'whoever reads the sink writes {"curve25519_public_key": "<base64>"} there first',
      cause: error,
    });
  }
}

function rawKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}
