import { type Case, type Step, wrapped } from './case.ts';

const t = 'transit{{id}}';
const hi = 'aGk=';

const mounted: Step = { method: 'POST', path: `sys/mounts/${t}`, body: { type: 'transit' }, status: 204 };

const post = (path: string, body: object, status: number, more: Partial<Step> = {}): Step => ({
  method: 'POST',
  path: `${t}/${path}`,
  body,
  status,
  ...more,
});

const refused = (path: string, body: object, text: string, status = 400): Step =>
  post(path, body, status, { errors: [text] });

const begins =
  (text: string) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.startsWith(text);
const isNumber = (value: unknown): boolean => typeof value === 'number' && value > 0;

const signingCase = (type: string, options: object = {}): Case => ({
  name: `transit: ${type} signs and verifies ${JSON.stringify(options)}`,
  steps: [
    mounted,
    post('keys/k', { type }, 200),
    post('sign/k', { input: hi, ...options }, 200, {
      save: { signature: 'data.signature' },
      body_has: { data: { signature: begins('vault:v1:'), key_version: 1 } },
    }),
    post('verify/k', { input: hi, signature: '{{signature}}', ...options }, 200, {
      body_has: { data: { valid: true } },
    }),
    post('verify/k', { input: 'aG8=', signature: '{{signature}}', ...options }, 200, {
      body_has: { data: { valid: false } },
    }),
    post('keys/other', { type }, 200),
    post('verify/other', { input: hi, signature: '{{signature}}', ...options }, 200, {
      body_has: { data: { valid: false } },
    }),
  ],
});

export const transitCases: readonly Case[] = [
  {
    name: 'transit: a key is shown without its secret',
    steps: [
      mounted,
      { method: 'LIST', path: `${t}/keys`, status: 404, errors: [] },
      post('keys/a', {}, 200, {
        body_has: {
          data: {
            name: 'a',
            type: 'aes256-gcm96',
            keys: { 1: isNumber },
            latest_version: 1,
            min_available_version: 0,
            min_decryption_version: 1,
            min_encryption_version: 0,
            deletion_allowed: false,
            derived: false,
            exportable: false,
            imported_key: false,
            allow_plaintext_backup: false,
            auto_rotate_period: 0,
            supports_decryption: true,
            supports_encryption: true,
            supports_derivation: true,
            supports_signing: false,
          },
        },
      }),
      post('keys/a', { type: 'ed25519' }, 200, { body_has: { data: { type: 'aes256-gcm96' } } }),
      post('keys/e', { type: 'ecdsa-p256' }, 200, {
        body_has: {
          data: { keys: { 1: { name: 'P-256', public_key: begins('-----BEGIN PUBLIC KEY-----\n') } } },
        },
      }),
      { method: 'LIST', path: `${t}/keys`, status: 200, body_has: { data: { keys: ['a', 'e'] } } },
      { method: 'GET', path: `${t}/keys/nosuch`, status: 404, errors: [] },
      refused('keys/x', { type: 'foo' }, 'unknown key type foo'),
      {
        method: 'GET',
        path: `${t}/export/encryption-key/a`,
        status: 400,
        errors: ['private key material is not exportable'],
      },
    ],
  },
  {
    name: 'transit: encryption and back, and what cannot be decrypted',
    steps: [
      mounted,
      post('keys/a', {}, 200),
      post('encrypt/a', { plaintext: hi }, 200, {
        save: { sealed: 'data.ciphertext' },
        body_has: { data: { ciphertext: begins('vault:v1:'), key_version: 1 } },
      }),
      post('decrypt/a', { ciphertext: '{{sealed}}' }, 200, { body_has: { data: { plaintext: hi } } }),
      post('encrypt/a', { plaintext: hi, associated_data: 'YQ==' }, 200, {
        save: { bound: 'data.ciphertext' },
      }),
      post('decrypt/a', { ciphertext: '{{bound}}', associated_data: 'YQ==' }, 200),
      refused('decrypt/a', { ciphertext: '{{bound}}' }, 'cipher: message authentication failed'),
      post('encrypt/new', { plaintext: hi }, 200),
      refused('encrypt/a', {}, 'missing plaintext to encrypt'),
      refused('encrypt/a', { plaintext: '!!' }, 'illegal base64 data at input byte 0'),
      refused('decrypt/a', {}, 'missing ciphertext to decrypt'),
      refused('decrypt/a', { ciphertext: 'x' }, 'invalid ciphertext: no prefix'),
      refused('decrypt/a', { ciphertext: 'vault:v9:aaaa' }, 'invalid ciphertext: version is too new'),
      refused('decrypt/a', { ciphertext: 'vault:v1:aaaa' }, 'invalid ciphertext length'),
      refused('decrypt/new', { ciphertext: '{{sealed}}' }, 'cipher: message authentication failed'),
      refused('decrypt/nosuch', { ciphertext: '{{sealed}}' }, 'encryption key not found'),
      post('keys/e', { type: 'ecdsa-p256' }, 200),
      refused('encrypt/e', { plaintext: hi }, 'message encryption not supported for key type ecdsa-p256'),
      post('keys/r', { type: 'rsa-2048' }, 200),
      post('encrypt/r', { plaintext: hi }, 200, { save: { sealed: 'data.ciphertext' } }),
      post('decrypt/r', { ciphertext: '{{sealed}}' }, 200, { body_has: { data: { plaintext: hi } } }),
    ],
  },
  {
    name: 'transit: batches: one that fails says so, the others go on',
    steps: [
      mounted,
      post('keys/a', {}, 200),
      post('encrypt/a', { batch_input: [{ plaintext: hi, reference: 'r' }, { plaintext: '!!' }] }, 400, {
        body_has: {
          data: {
            batch_results: (value: unknown) => {
              const [first, second] = value as Record<string, unknown>[];
              return (
                begins('vault:v1:')(first?.ciphertext) &&
                first?.reference === 'r' &&
                second?.error === 'illegal base64 data at input byte 0'
              );
            },
          },
        },
      }),
      post('decrypt/a', { batch_input: [{ ciphertext: 'x' }] }, 400, {
        body_has: {
          data: {
            batch_results: [{ plaintext: '', error: 'invalid ciphertext: no prefix', reference: '' }],
          },
        },
      }),
      post('keys/e', { type: 'ecdsa-p256' }, 200),
      post('sign/e', { batch_input: [{ input: hi, reference: 'q' }, { input: '!' }] }, 200, {
        body_has: {
          data: {
            batch_results: (value: unknown) => {
              const [first, second] = value as Record<string, unknown>[];
              return (
                begins('vault:v1:')(first?.signature) &&
                second?.error === 'unable to decode input as base64: illegal base64 data at input byte 0'
              );
            },
          },
        },
      }),
    ],
  },
  {
    name: 'transit: rotation, least versions, trimming and the end of a key',
    steps: [
      mounted,
      post('keys/a', {}, 200),
      post('encrypt/a', { plaintext: hi }, 200, { save: { old: 'data.ciphertext' } }),
      post('keys/a/rotate', {}, 200, {
        body_has: { data: { latest_version: 2, keys: { 1: isNumber, 2: isNumber } } },
      }),
      post('decrypt/a', { ciphertext: '{{old}}' }, 200, { body_has: { data: { plaintext: hi } } }),
      post('encrypt/a', { plaintext: hi, key_version: 1 }, 200, {
        body_has: { data: { ciphertext: begins('vault:v1:'), key_version: 1 } },
      }),
      refused(
        'encrypt/a',
        { plaintext: hi, key_version: 7 },
        'requested version for encryption is higher than the latest key version',
      ),
      post('rewrap/a', { ciphertext: '{{old}}' }, 200, {
        save: { fresh: 'data.ciphertext' },
        body_has: { data: { ciphertext: begins('vault:v2:'), key_version: 2 } },
      }),
      refused(
        'keys/a/config',
        { min_decryption_version: 9 },
        'cannot set min decryption version of 9, latest key version is 2',
      ),
      post('keys/a/config', { min_decryption_version: 2 }, 200, {
        body_has: {
          data: {
            min_decryption_version: 2,
            keys: (value: unknown) => Object.keys(value as object).join() === '2',
          },
        },
      }),
      refused(
        'decrypt/a',
        { ciphertext: '{{old}}' },
        'ciphertext or signature version is disallowed by policy (too old)',
      ),
      refused('encrypt/a', { plaintext: hi, key_version: 1 }, 'no such key version'),
      refused(
        'keys/a/config',
        { min_encryption_version: 1 },
        'cannot set min encryption/decryption values; min encryption version of 1 must be greater than or equal to min decryption version of 2',
      ),
      refused(
        'keys/a/trim',
        { min_available_version: 1 },
        'minimum available version cannot be set when minimum encryption version is not set',
      ),
      post('keys/a/config', { min_encryption_version: 2 }, 200),
      post('keys/a/trim', { min_available_version: 2 }, 200, {
        body_has: { data: { min_available_version: 2 } },
      }),
      post('decrypt/a', { ciphertext: '{{fresh}}' }, 200, { body_has: { data: { plaintext: hi } } }),
      {
        method: 'DELETE',
        path: `${t}/keys/a`,
        status: 400,
        errors: ['error deleting policy a: deletion is not allowed for this key'],
      },
      post('keys/a/config', { deletion_allowed: true }, 200),
      { method: 'DELETE', path: `${t}/keys/a`, status: 204 },
      { method: 'GET', path: `${t}/keys/a`, status: 404, errors: [] },
      refused('keys/a/rotate', {}, 'key not found'),
      refused('keys/a/config', {}, 'no existing key named a could be found'),
      {
        method: 'DELETE',
        path: `${t}/keys/a`,
        status: 400,
        errors: ['error deleting policy a: could not delete key; not found'],
      },
    ],
  },
  signingCase('ecdsa-p256'),
  signingCase('ecdsa-p256', { marshaling_algorithm: 'jws' }),
  signingCase('ecdsa-p384', { hash_algorithm: 'sha2-384' }),
  signingCase('ed25519'),
  signingCase('rsa-2048'),
  signingCase('rsa-2048', { signature_algorithm: 'pkcs1v15', hash_algorithm: 'sha2-512' }),
  {
    name: 'transit: what cannot sign, and what is no signature',
    steps: [
      mounted,
      post('keys/a', {}, 200),
      post('keys/e', { type: 'ecdsa-p256' }, 200),
      post('keys/r', { type: 'rsa-2048' }, 200),
      refused('sign/a', { input: hi }, 'key type aes256-gcm96 does not support signing'),
      refused('sign/nosuch', { input: hi }, 'signing key not found'),
      refused('sign/e/foo', { input: hi }, 'invalid hash algorithm "foo"'),
      refused(
        'sign/e',
        { input: '!' },
        'unable to decode input as base64: illegal base64 data at input byte 0',
      ),
      refused(
        'sign/r',
        { input: hi, signature_algorithm: 'foo' },
        wrapped('unsupported rsa signature algorithm foo'),
        500,
      ),
      refused('verify/e', { input: hi }, "neither a 'signature' nor an 'hmac' were given to verify"),
      refused('verify/e', { input: hi, signature: 'x' }, 'invalid signature: no prefix'),
      refused('verify/e', { input: hi, signature: 'vault:v1:MEUC' }, 'supplied signature is invalid'),
    ],
  },
  {
    name: 'transit: HMACs',
    steps: [
      mounted,
      post('keys/a', {}, 200),
      post('hmac/a', { input: hi }, 200, {
        save: { mac: 'data.hmac' },
        body_has: { data: { hmac: begins('vault:v1:') } },
      }),
      post('verify/a', { input: hi, hmac: '{{mac}}' }, 200, { body_has: { data: { valid: true } } }),
      post('verify/a', { input: 'aG8=', hmac: '{{mac}}' }, 200, { body_has: { data: { valid: false } } }),
      post('hmac/a/sha2-512', { input: hi }, 200, { save: { mac: 'data.hmac' } }),
      post('verify/a/sha2-512', { input: hi, hmac: '{{mac}}' }, 200, { body_has: { data: { valid: true } } }),
    ],
  },
];
