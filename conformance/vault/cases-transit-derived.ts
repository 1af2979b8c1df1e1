import type { Case } from './case.ts';
import { ask, read, refused, write } from './steps.ts';

const at = 'transit-d{{id}}';
const mount = write(`sys/mounts/${at}`, { type: 'transit' });
const key = (name: string, body: object) => write(`${at}/keys/${name}`, body, { status: 200 });
const plaintext = Buffer.from('to be kept').toString('base64');
const [one, two] = ['one', 'two'].map((text) => Buffer.from(text).toString('base64'));
const seal = (name: string, body: object, save: string) =>
  write(
    `${at}/encrypt/${name}`,
    { plaintext, ...body },
    { status: 200, save: { [save]: 'data.ciphertext' } },
  );
const open = (name: string, ciphertext: string, body: object) =>
  write(
    `${at}/decrypt/${name}`,
    { ciphertext: `{{${ciphertext}}}`, ...body },
    { status: 200, body_has: { data: { plaintext } } },
  );
const noContext =
  "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key";

export const transitDerivedCases: readonly Case[] = [
  {
    name: 'transit: a derived key is another one for each context',
    steps: [
      mount,
      key('d', { derived: true }),
      read(`${at}/keys/d`, { derived: true, kdf: 'hkdf_sha256', convergent_encryption: false }),
      refused(`${at}/encrypt/d`, { plaintext }, 400, noContext),
      refused(`${at}/encrypt/d`, { plaintext, context: '!' }, 400, 'illegal base64 data at input byte 0'),
      seal('d', { context: one }, 'sealed'),
      open('d', 'sealed', { context: one }),
      refused(
        `${at}/decrypt/d`,
        { ciphertext: '{{sealed}}', context: two },
        400,
        'cipher: message authentication failed',
      ),
      refused(`${at}/decrypt/d`, { ciphertext: '{{sealed}}' }, 400, noContext),
      write(
        `${at}/rewrap/d`,
        { ciphertext: '{{sealed}}', context: one },
        { status: 200, save: { again: 'data.ciphertext' } },
      ),
      open('d', 'again', { context: one }),
    ],
  },
  {
    name: 'transit: convergent encryption gives the same ciphertext for the same plaintext and context',
    steps: [
      mount,
      refused(
        `${at}/keys/c`,
        { convergent_encryption: true },
        400,
        'convergent encryption requires derivation to be enabled',
      ),
      key('c', { derived: true, convergent_encryption: true }),
      read(`${at}/keys/c`, { convergent_encryption: true, convergent_encryption_version: -1 }),
      seal('c', { context: one }, 'first'),
      write(
        `${at}/encrypt/c`,
        { plaintext, context: one },
        { status: 200, body_has: { data: { ciphertext: '{{first}}' } } },
      ),
      write(
        `${at}/encrypt/c`,
        { plaintext, context: two },
        { status: 200, save: { other: 'data.ciphertext' } },
      ),
      open('c', 'first', { context: one }),
      open('c', 'other', { context: two }),
    ],
  },
  {
    name: 'transit: keys that cannot be derived say so; Ed25519 signs by context',
    steps: [
      mount,
      refused(
        `${at}/keys/r`,
        { type: 'ecdsa-p256', derived: true },
        500,
        '1 error occurred:\n\t* key derivation and convergent encryption not supported for keys of type ecdsa-p256\n\n',
      ),
      refused(
        `${at}/keys/r`,
        { type: 'ed25519', derived: true, convergent_encryption: true },
        500,
        '1 error occurred:\n\t* convergent encryption not supported for keys of type ed25519\n\n',
      ),
      key('e', { type: 'ed25519', derived: true }),
      refused(
        `${at}/sign/e`,
        { input: plaintext },
        500,
        `1 error occurred:\n\t* error deriving key: ${noContext}\n\n`,
      ),
      write(
        `${at}/sign/e`,
        { input: plaintext, context: one },
        { status: 200, save: { signature: 'data.signature' } },
      ),
      ...[one, two].map((context) =>
        write(
          `${at}/verify/e`,
          { input: plaintext, context, signature: '{{signature}}' },
          { status: 200, body_has: { data: { valid: context === one } } },
        ),
      ),
    ],
  },
  {
    name: 'transit: encrypting with a key that is not there makes it, unless the mount forbids that',
    steps: [
      mount,
      seal('up', { context: one }, 'sealed'),
      read(`${at}/keys/up`, { derived: true, type: 'aes256-gcm96' }),
      refused(
        `${at}/encrypt/up2`,
        { plaintext, convergent_encryption: true },
        400,
        'convergent encryption requires derivation to be enabled, so context is required',
      ),
      refused(
        `${at}/encrypt/up2`,
        { batch_input: [{ plaintext, context: one }, { plaintext }] },
        400,
        'context should be set either in all the request blocks or in none',
      ),
      read(`${at}/config/keys`, { disable_upsert: false }),
      write(
        `${at}/config/keys`,
        { disable_upsert: true },
        { status: 200, body_has: { data: { disable_upsert: true } } },
      ),
      refused(`${at}/encrypt/up2`, { plaintext }, 400, 'encryption key not found'),
      open('up', 'sealed', { context: one }),
    ],
  },
  {
    name: 'transit: ChaCha20-Poly1305, with associated data',
    steps: [
      mount,
      key('x', { type: 'chacha20-poly1305' }),
      read(`${at}/keys/x`, { type: 'chacha20-poly1305', supports_derivation: true, supports_signing: false }),
      seal('x', { associated_data: one }, 'sealed'),
      open('x', 'sealed', { associated_data: one }),
      refused(
        `${at}/decrypt/x`,
        { ciphertext: '{{sealed}}', associated_data: two },
        400,
        'chacha20poly1305: message authentication failed',
      ),
    ],
  },
  {
    name: 'transit: digests and random bytes',
    steps: [
      mount,
      write(
        `${at}/hash`,
        { input: 'aGk=' },
        {
          status: 200,
          body_has: { data: { sum: '8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4' } },
        },
      ),
      write(
        `${at}/hash/sha2-224`,
        { input: 'aGk=', format: 'base64', algorithm: 'sha2-512' },
        { status: 200, body_has: { data: { sum: (sum: unknown) => String(sum).length === 40 } } },
      ),
      refused(`${at}/hash`, {}, 400, 'input missing'),
      refused(`${at}/hash`, { input: 'aGk=', algorithm: 'md5' }, 400, 'unsupported algorithm md5'),
      refused(
        `${at}/hash`,
        { input: 'aGk=', format: 'x' },
        400,
        'unsupported encoding format x; must be "hex" or "base64"',
      ),
      ...[
        ['random', {}, 44],
        ['random/16', { format: 'hex' }, 32],
        ['random/all/3', {}, 4],
      ].map(([path, body, length]) =>
        write(`${at}/${path}`, body, {
          status: 200,
          body_has: { data: { random_bytes: (text: unknown) => String(text).length === length } },
        }),
      ),
      refused(`${at}/random`, { bytes: 0 }, 400, "'bytes' cannot be less than 1"),
      refused(`${at}/random/200000`, {}, 400, "'bytes' should be less than 131072"),
    ],
  },
  {
    name: 'transit: a backup takes two permissions and is restored under any free name',
    steps: [
      mount,
      key('b', {}),
      ask('GET', `${at}/backup/b`, undefined, {
        status: 500,
        errors: ['1 error occurred:\n\t* exporting is disallowed on the policy\n\n'],
      }),
      write(`${at}/keys/b/config`, { exportable: true }, { status: 200 }),
      ask('GET', `${at}/backup/b`, undefined, {
        status: 500,
        errors: ['1 error occurred:\n\t* plaintext backup is disallowed on the policy\n\n'],
      }),
      write(`${at}/keys/b/config`, { allow_plaintext_backup: true }, { status: 200 }),
      seal('b', {}, 'sealed'),
      ask('GET', `${at}/backup/b`, undefined, { save: { backup: 'data.backup' } }),
      refused(`${at}/restore`, {}, 400, "'backup' must be supplied"),
      refused(
        `${at}/restore`,
        { backup: '{{backup}}' },
        500,
        '1 error occurred:\n\t* key "b" already exists\n\n',
      ),
      write(`${at}/restore/copy`, { backup: '{{backup}}' }),
      open('copy', 'sealed', {}),
      write(`${at}/restore/copy`, { backup: '{{backup}}', force: true }),
      ask('GET', `${at}/backup/none`, undefined, {
        status: 500,
        errors: ['1 error occurred:\n\t* key "none" not found\n\n'],
      }),
    ],
  },
];
