import { createHash } from 'node:crypto';
import { type Case, type Step, wrapped } from './case.ts';
import { ask, missing, read, refused, write } from './steps.ts';

const at = 'transit-k{{id}}';
const mount = write(`sys/mounts/${at}`, { type: 'transit' });
const key = (name: string, body: object, more: Partial<Step> = {}) =>
  write(`${at}/keys/${name}`, body, { status: 200, ...more });
const broken = (path: string, body: object, text: string): Step =>
  refused(`${at}/${path}`, body, 500, wrapped(text));
const bad = (path: string, body: object, text: string): Step => refused(`${at}/${path}`, body, 400, text);

const message = Buffer.from('hi');
const input = message.toString('base64');
const digest = (name: string): string => createHash(name).update(message).digest('base64');
const longer = Buffer.from('not of any length that a hash has').toString('base64');

/** What is signed as a digest is verified as a message, and the other way round. */
const prehashedCase = (
  type: string,
  styles: readonly (readonly [hash: string, options: object])[],
): Case => ({
  name: `transit: ${type} signs and verifies digests made elsewhere`,
  steps: [
    mount,
    key('k', { type }),
    ...styles.flatMap(([hash, options]) => [
      write(`${at}/sign/k`, { input: digest(hash), prehashed: true, ...options }, signed),
      verified({ input, ...options }, true),
      verified({ input: digest(hash), prehashed: true, ...options }, true),
      verified({ input: longer, prehashed: true, ...options }, false),
      write(`${at}/sign/k`, { input, ...options }, signed),
      verified({ input: digest(hash), prehashed: true, ...options }, true),
      verified({ input: digest('sha1'), prehashed: true, ...options }, hash === 'sha1'),
    ]),
  ],
});
const signed = { status: 200, save: { signature: 'data.signature' } };
const verified = (body: object, valid: boolean): Step =>
  write(
    `${at}/verify/k`,
    { signature: '{{signature}}', ...body },
    { status: 200, body_has: { data: { valid } } },
  );

const startsWith =
  (text: string) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.startsWith(text);
const isRequest = startsWith('-----BEGIN CERTIFICATE REQUEST-----\n');
const trimmed = (value: unknown): boolean => String(value).endsWith('-----END PUBLIC KEY-----');
const publicPem = { save: { pem: 'data.keys.1.public_key' } };

const soft = 'refusing to use soft-deleted key';
const noHash = 'hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15';
const raw = { hash_algorithm: 'none', prehashed: true, signature_algorithm: 'pkcs1v15' };
const importing = (text: string): string => `error importing key: ${text}`;
const unkept = (text: string): string => `failed to persist certificate chain: ${text}`;
const noExport = (path: string, text: string): Step =>
  ask('GET', `${at}/byok-export/${path}`, undefined, { status: 500, errors: [wrapped(text)] });

export const transitKeyCases: readonly Case[] = [
  prehashedCase('ecdsa-p256', [
    ['sha256', {}],
    ['sha512', { hash_algorithm: 'sha2-512', marshaling_algorithm: 'jws' }],
  ]),
  prehashedCase('ecdsa-p384', [['sha384', { hash_algorithm: 'sha2-384' }]]),
  prehashedCase('ecdsa-p521', [['sha1', { hash_algorithm: 'sha1' }]]),
  prehashedCase('rsa-2048', [
    ['sha256', {}],
    ['sha384', { salt_length: 'hash', hash_algorithm: 'sha2-384' }],
    ['sha256', { salt_length: '20', marshaling_algorithm: 'jws' }],
    ['sha512', { signature_algorithm: 'pkcs1v15', hash_algorithm: 'sha2-512' }],
  ]),
  {
    name: 'transit: what is no digest, no salt, no hash',
    steps: [
      mount,
      key('k', { type: 'rsa-2048' }),
      key('e', { type: 'ecdsa-p256' }),
      key('d', { type: 'ed25519', derived: true }),
      broken('sign/k', { input, prehashed: true }, 'crypto/rsa: input must be hashed with given hash'),
      broken(
        'sign/k',
        { input, prehashed: true, signature_algorithm: 'pkcs1v15' },
        'crypto/rsa: input must be hashed message',
      ),
      broken('sign/k', { input, salt_length: '999' }, 'requested salt length 999 is invalid'),
      bad('sign/k', { input, salt_length: 'x' }, "salt length neither 'auto', 'hash', nor an int: x"),
      bad('sign/k', { input, salt_length: '-5' }, 'salt length is invalid: -5'),
      bad(
        'verify/k',
        { input, salt_length: '999', signature: 'vault:v1:YWFhYQ==' },
        'requested salt length 999 is invalid',
      ),
      bad('sign/e', { input, hash_algorithm: 'none' }, noHash),
      bad('verify/k', { input, hash_algorithm: 'none', signature: 'vault:v1:YWFhYQ==' }, noHash),
      write(`${at}/sign/k`, { input, ...raw }, signed),
      verified({ input, ...raw }, true),
      verified({ input: longer, ...raw }, false),
      write(
        `${at}/sign/d`,
        { input, context: input },
        { status: 200, body_has: { data: { public_key: (value: unknown) => String(value).length === 44 } } },
      ),
    ],
  },
  {
    name: 'transit: a soft-deleted key is kept and not used',
    steps: [
      mount,
      key('a', { exportable: true }),
      key('r', { type: 'rsa-2048' }),
      ask('DELETE', `${at}/keys/a/soft-delete`, undefined, {
        status: 200,
        body_has: { data: { name: 'a', soft_deleted: true }, warnings: null },
      }),
      ask('DELETE', `${at}/keys/a/soft-delete`, undefined, {
        status: 200,
        body_has: { warnings: ['key was already marked as soft deleted'] },
      }),
      ask('DELETE', `${at}/keys/nosuch/soft-delete`, undefined, { status: 204 }),
      read(`${at}/keys/a`, { soft_deleted: true }),
      bad('encrypt/a', { plaintext: input }, soft),
      bad('decrypt/a', { ciphertext: 'vault:v1:aaaa' }, soft),
      bad('rewrap/a', { ciphertext: 'vault:v1:aaaa' }, soft),
      bad('hmac/a', { input }, soft),
      bad('datakey/plaintext/a', {}, soft),
      broken('keys/a/rotate', {}, soft),
      ask('GET', `${at}/backup/a`, undefined, { status: 500, errors: [wrapped(soft)] }),
      ask('GET', `${at}/export/encryption-key/a`, undefined, { status: 500, errors: [wrapped(soft)] }),
      ask('GET', `${at}/byok-export/r/a`, undefined, {
        status: 500,
        errors: [wrapped(`for source key: ${soft}`)],
      }),
      write(
        `${at}/keys/a/soft-delete-restore`,
        {},
        { status: 200, body_has: { data: { soft_deleted: false } } },
      ),
      write(
        `${at}/keys/a/soft-delete-restore`,
        {},
        { status: 200, body_has: { warnings: ['key was already restored'] } },
      ),
      write(`${at}/keys/nosuch/soft-delete-restore`, {}),
      write(`${at}/encrypt/a`, { plaintext: input }, { status: 200 }),
      ask('DELETE', `${at}/keys/r/soft-delete`, undefined, { status: 200 }),
      broken('sign/r', { input }, soft),
      bad('verify/r', { input, signature: 'vault:v1:YWFhYQ==' }, soft),
      ask('GET', `${at}/byok-export/r/a`, undefined, {
        status: 500,
        errors: [wrapped(`for destination key: ${soft}`)],
      }),
    ],
  },
  {
    name: 'transit: a public key alone is imported, verifies and encrypts',
    steps: [
      mount,
      key('e', { type: 'ecdsa-p256' }, publicPem),
      write(`${at}/sign/e`, { input }, signed),
      write(`${at}/keys/k/import`, { type: 'ecdsa-p256', public_key: '{{pem}}' }),
      read(`${at}/keys/k`, { imported_key: true, imported_key_allow_rotation: false, latest_version: 1 }),
      verified({ input }, true),
      broken('sign/k', { input }, 'requested version for signing does not contain a private part'),
      bad('keys/k/csr', {}, 'could not create the csr: private key not imported for key version selected'),
      broken('keys/k/rotate', {}, 'imported key k does not allow rotation within Vault'),
      broken(
        'keys/k/import_version',
        { version: 1, public_key: '{{pem}}' },
        'cannot add a public key to a key version that already has a public key set',
      ),
      write(`${at}/keys/k/import_version`, { public_key: '{{pem}}' }),
      write(
        `${at}/keys/k/config`,
        { exportable: true },
        { status: 200, body_has: { data: { latest_version: 2 } } },
      ),
      read(`${at}/export/public-key/k/latest`, { keys: { 2: trimmed } }),
      read(`${at}/export/signing-key/k`, { keys: { 1: '', 2: '' } }),
      broken(
        'keys/x/import',
        { type: 'ecdsa-p384', public_key: '{{pem}}' },
        importing('invalid curve: expected P-384, got P-256'),
      ),
      broken(
        'keys/x/import',
        { type: 'ecdsa-p256', public_key: 'x' },
        importing('error parsing public key: not in PEM format'),
      ),
      broken(
        'keys/x/import',
        { type: 'ecdsa-p256' },
        importing('error parsing public key: not in PEM format'),
      ),
      broken('keys/x/import', { public_key: '{{pem}}' }, 'provided type does not support public_key import'),
      broken(
        'keys/x/import',
        { public_key: '{{pem}}', convergent_encryption: true },
        'import cannot be used on keys with convergent encryption enabled',
      ),
      key('r', { type: 'rsa-2048' }, publicPem),
      write(`${at}/keys/p/import`, { type: 'rsa-2048', public_key: '{{pem}}' }),
      write(`${at}/encrypt/p`, { plaintext: input }, { status: 200, save: { sealed: 'data.ciphertext' } }),
      write(
        `${at}/decrypt/r`,
        { ciphertext: '{{sealed}}' },
        { status: 200, body_has: { data: { plaintext: input } } },
      ),
      broken(
        'decrypt/p',
        { ciphertext: '{{sealed}}' },
        'cannot decrypt ciphertext, key version does not have a private counterpart',
      ),
    ],
  },
  {
    name: 'transit: keys wrapped for this mount are imported, also beside their public key',
    steps: [
      mount,
      ask('GET', `${at}/wrapping_key`, undefined, { status: 200, save: { pem: 'data.public_key' } }),
      broken('keys/i/import', { ciphertext: 'aaaa' }, 'provided ciphertext is too short'),
      missing(`${at}/keys/i`),
      write(`${at}/keys/w/import`, { type: 'rsa-4096', public_key: '{{pem}}' }),
      key('e', { type: 'ecdsa-p256', exportable: true }, publicPem),
      key('a', { exportable: true }),
      key('n', {}),
      ask('GET', `${at}/byok-export/w/e/latest`, undefined, {
        status: 200,
        save: { wrapped: 'data.keys.1' },
      }),
      write(`${at}/keys/k/import`, { type: 'ecdsa-p256', public_key: '{{pem}}' }),
      write(`${at}/keys/k/import_version`, { ciphertext: '{{wrapped}}' }),
      read(`${at}/keys/k`, { latest_version: 1 }),
      write(`${at}/sign/k`, { input }, signed),
      write(`${at}/keys/k/import_version`, { ciphertext: '{{wrapped}}' }),
      read(`${at}/keys/k`, { latest_version: 2 }),
      broken(
        'keys/k/import_version',
        { version: 1, ciphertext: '{{wrapped}}' },
        'private key imported, key version cannot be updated',
      ),
      ask('GET', `${at}/byok-export/w/a?hash=sha384`, undefined, {
        status: 200,
        save: { wrapped: 'data.keys.1' },
      }),
      write(`${at}/keys/b/import`, { ciphertext: '{{wrapped}}', hash_function: 'SHA384' }),
      write(`${at}/encrypt/a`, { plaintext: input }, { status: 200, save: { sealed: 'data.ciphertext' } }),
      write(
        `${at}/decrypt/b`,
        { ciphertext: '{{sealed}}' },
        { status: 200, body_has: { data: { plaintext: input } } },
      ),
      bad('keys/x/import', { ciphertext: '{{wrapped}}', hash_function: 'MD5' }, 'unknown hash function: MD5'),
      ask('GET', `${at}/byok-export/w/a/9`, undefined, {
        status: 400,
        errors: ['version does not exist or cannot be found'],
      }),
      ask('GET', `${at}/byok-export/w/a/x`, undefined, { status: 400, errors: ['invalid key version'] }),
      ask('GET', `${at}/byok-export/w/n`, undefined, { status: 400, errors: ['key is not exportable'] }),
      noExport('x/a', 'no such destination key to export to'),
      noExport('w/x', 'no such source key for export'),
      noExport('e/a', 'unsupported key type in use; must be a rsa key'),
      noExport('a/a', 'message signing not supported for key type aes256-gcm96'),
      noExport('w/a?hash=md5', 'unknown hash function: md5'),
    ],
  },
  {
    name: 'transit: a request for a certificate, and the chain that came back',
    steps: [
      mount,
      ...['e', 'o'].map((name) => key(name, { type: 'ecdsa-p256' })),
      key('a', {}),
      key('d', { type: 'ed25519', derived: true }),
      key('r', { type: 'rsa-2048' }),
      write(
        `${at}/keys/e/csr`,
        {},
        { status: 200, body_has: { data: { name: 'e', type: 'ecdsa-p256', csr: isRequest } } },
      ),
      bad('keys/a/csr', {}, "key type 'aes256-gcm96' does not support signing"),
      bad('keys/nosuch/csr', {}, "key with provided name 'nosuch' not found"),
      bad('keys/d/csr', {}, 'operation not supported for keys with derivation enabled'),
      bad('keys/e/csr', { csr: 'x' }, 'could not decode PEM CSR'),
      bad('keys/e/csr', { version: 7 }, 'could not create the csr: no such key version'),
      write(`${at}/keys/e/csr`, { csr: '{{csr_web}}' }, { status: 200, save: { request: 'data.csr' } }),
      write(`sys/mounts/${at}-pki`, { type: 'pki' }),
      write(
        `${at}-pki/root/generate/internal`,
        { common_name: 'CA', key_type: 'ec' },
        { status: 200, save: { ca: 'data.certificate' } },
      ),
      write(
        `${at}-pki/sign-verbatim`,
        { csr: '{{request}}', ttl: '1h' },
        { status: 200, save: { leaf: 'data.certificate' } },
      ),
      ...['e', 'r'].map((name) =>
        bad(
          `keys/${name}/set-certificate`,
          {},
          'provided certificate chain did not contain any valid PEM encoded certificate',
        ),
      ),
      bad(
        'keys/e/set-certificate',
        { certificate_chain: 'x' },
        'could not decode a PEM block in the certificate chain',
      ),
      bad(
        'keys/e/set-certificate',
        { certificate_chain: '{{ca}}' },
        unkept('certificate in the first element is not a valid leaf certificate'),
      ),
      bad(
        'keys/e/set-certificate',
        { certificate_chain: '{{leaf}}\n{{leaf}}' },
        unkept('certificate in the last element is not a valid CA certificate'),
      ),
      bad(
        'keys/e/set-certificate',
        { certificate_chain: '{{leaf}}', version: 3 },
        unkept('no such key version'),
      ),
      broken(
        'keys/o/set-certificate',
        { certificate_chain: '{{leaf}}' },
        unkept('leaf certificate public key does not match the selected key version'),
      ),
      bad(
        'keys/r/set-certificate',
        { certificate_chain: '{{leaf}}' },
        unkept(
          "could not validate key match between leaf certificate key and key entry in transit: provided leaf certificate public key algorithm 'ECDSA' does not match the transit key type 'rsa-2048'",
        ),
      ),
      write(
        `${at}/keys/e/set-certificate`,
        { certificate_chain: '{{leaf}}\n{{ca}}' },
        { status: 200, body_has: { data: { certificate_chain: '{{leaf}}\n{{ca}}' } } },
      ),
      read(`${at}/keys/e`, { keys: { 1: { certificate_chain: '{{leaf}}\n{{ca}}' } } }),
      read(`${at}/export/certificate-chain/e`, {
        keys: { 1: (value: unknown) => String(value).split('BEGIN CERT').length === 3 },
      }),
    ],
  },
  {
    name: 'transit: two parties derive the same key from what each has of the other',
    steps: [
      mount,
      key('one', { type: 'ecdsa-p256' }, { save: { one: 'data.keys.1.public_key' } }),
      key('two', { type: 'ecdsa-p256' }, { save: { two: 'data.keys.1.public_key' } }),
      key('a', {}),
      key('p384', { type: 'ecdsa-p384' }),
      write(`${at}/derive-key/x`, { base_key_name: 'one', peer_public_key: '{{two}}' }),
      write(`${at}/derive-key/y`, { base_key_name: 'two', peer_public_key: '{{one}}', base_key_version: 1 }),
      read(`${at}/keys/x`, {
        type: 'aes256-gcm96',
        imported_key: true,
        imported_key_allow_rotation: false,
        exportable: false,
      }),
      write(`${at}/encrypt/x`, { plaintext: input }, { status: 200, save: { sealed: 'data.ciphertext' } }),
      write(
        `${at}/decrypt/y`,
        { ciphertext: '{{sealed}}' },
        { status: 200, body_has: { data: { plaintext: input } } },
      ),
      write(`${at}/derive-key/x`, { base_key_name: 'one', peer_public_key: '{{two}}' }),
      read(`${at}/keys/x`, { latest_version: 2 }),
      bad('derive-key/z', { key_derivation_algorithm: 'foo' }, 'key derivation algorithm foo not supported'),
      bad('derive-key/z', {}, 'peer public key not provided'),
      bad('derive-key/z', { peer_public_key: 'x' }, 'specified base key not found'),
      bad('derive-key/z', { peer_public_key: 'x', derived_key_type: 'hmac' }, 'unknown key type hmac'),
      bad(
        'derive-key/z',
        { peer_public_key: 'x', base_key_name: 'a' },
        'base key type aes256-gcm96 does not support key agreement',
      ),
      broken(
        'derive-key/z',
        { peer_public_key: 'x', base_key_name: 'one' },
        'failed to parse supplied peer public key PEM: data does not contain any valid public keys ',
      ),
      broken(
        'derive-key/z',
        { peer_public_key: '{{two}}', base_key_name: 'one', base_key_version: 4 },
        'requested version of the base key is higher than the latest key version',
      ),
      broken(
        'derive-key/z',
        { peer_public_key: '{{two}}', base_key_name: 'p384' },
        'base private key type ecdsa-p384 does not match peer public key curve',
      ),
    ],
  },
  {
    name: 'transit: the size of an HMAC key, and of the cache',
    steps: [
      mount,
      key('h', { type: 'hmac', key_size: 64 }, { body_has: { data: { key_size: 64, keys: undefined } } }),
      bad('keys/x', { type: 'hmac', key_size: 5 }, 'invalid key_size 5'),
      bad('keys/x', { key_size: 64 }, 'key_size is not valid for algorithm aes256-gcm96'),
      write(`${at}/hmac/h`, { input }, { status: 200 }),
      read(`${at}/cache-config`, { size: 0 }),
      write(`${at}/cache-config`, { size: 500 }, { status: 200, body_has: { data: { size: 500 } } }),
      read(`${at}/cache-config`, { size: 500 }),
      bad('cache-config', { size: 5 }, 'size must be 0 or a value greater or equal to 10'),
    ],
  },
];
