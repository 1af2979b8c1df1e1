import fc from 'fast-check';
import { type Logger, silentLogger } from '../lib/log.ts';
import { createCsr } from '../x509/csr.ts';
import { generateKeyPair } from '../x509/keys.ts';
import type { Route } from './core/backend.ts';
import { fullPath } from './core/mount-entry.ts';
import type { Operation } from './core/request.ts';
import type { VaultCore } from './core/vault-core.ts';
import { call, openTestCore, tokenOf } from './test-core.ts';

export interface FuzzReport {
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Requests that ended in an error that no code expected, with what it takes to repeat them. */
  readonly failures: readonly string[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  /** After every so many requests. */
  readonly onProgress?: (done: number) => void;
}

export type Roll = (below: number) => number;

interface Corpus {
  readonly texts: readonly string[];
  readonly values: readonly unknown[];
  readonly tokens: readonly string[];
  readonly routes: readonly { readonly mount: string; readonly route: Route }[];
}

const operations: readonly Operation[] = ['read', 'update', 'delete', 'list', 'patch'];
const words = [
  'r',
  'k',
  'a',
  'default',
  'new',
  'x'.repeat(300),
  'ä/ö',
  '..',
  '',
  '%2f',
  '__proto__',
  'constructor',
];
const policy = 'path "a/+/b*" { capabilities = ["read"] allowed_parameters = { "x" = ["1"] } }';
const jwt =
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIiwiZXhwIjo5OTk5OTk5OTk5fQ.c2ln';
/** They would take away what is being fuzzed, write outside of it, or spend the time with making large keys. */
const leftOut =
  /^(sys\/(seal|mounts|auth|remount|audit|rotate|leases\/revoke|internal)|.*revoke-self|pki\/(root$|.*generate|tidy|issuer)|transit\/(keys|wrapping_key))/;

/** What Vault answers with 500, too: the words are its own. */
const documented = new RegExp(
  [
    'username does not exist',
    'missing (password|role_id)',
    '(role|key) \\\\".*\\\\" (does not exist|not found)',
    'the backup is not one of this server',
    'certificate (data was too short|contains no PEM data|could not be parsed)',
    'exporting is disallowed on the policy',
    'no such (source key for export|destination key to export to)',
    'unable to find PKI (key|issuer) for reference',
    'no default (key|issuer) currently configured',
    'could not fetch the CA certificate',
    'at least one (origin or the wildcard must be provided|constraint should be enabled)',
    'invalid rekey seal configuration',
    'invalid, non-URL (aia_)?path given to cluster',
    'invalid (member group|entity) ID',
    'invalid CIDR address',
    'failed to verify subset relationship',
    'SecretID is already registered',
    'failed to find accessor entry',
    'role_id already in use',
    'could not (load backend configuration|parse UID from claims)',
    'cn_validations value incorrect',
    'error deriving key',
    'allow_rotation must be set to true',
    'not supported for keys of type',
    'unsupported rsa signature algorithm',
    'input must be hashed with given hash',
    'failed to renew entry',
    'to allow all origins',
    'plaintext backup is disallowed',
    'already exists',
    'provided ciphertext is too short',
    'unsupported hash function',
    'crypto/rsa: decryption error',
    'invalid key (size|type)',
    'error parsing asymmetric key',
    'rekey (is )?(not )?in progress',
  ].join('|'),
);

/**
 * Malformed requests against an open store with one mount of each kind: routes from the backends' own tables, fields by
 * their schemas, values by fast-check and a byte mutator. The same seed makes the same requests.
 */
export async function fuzzStore({ seed, count, onProgress }: FuzzOptions): Promise<FuzzReport> {
  const failures: string[] = [];
  let asked = '';
  const log: Logger = {
    ...silentLogger,
    error: (message, fields) => failures.push(`${message} ${JSON.stringify(fields)} ${asked}`),
    named: () => log,
  };
  const core = await openTestCore({ log });
  const corpus = await fill(core, seed);
  const roll = rollOf(seed);
  const statuses: Record<number, number> = {};
  for (let done = 1; done <= count && failures.length < 10; done++) {
    const { operation, path, data, token } = makeRequest(corpus, roll);
    asked = JSON.stringify({ operation, path, data, token }).slice(0, 2000);
    const { status, body } = await call(core, operation, path, data, token);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status >= 500) {
      const said = JSON.stringify((body as { errors?: unknown } | undefined)?.errors);
      if (!documented.test(said)) failures.push(`${status} ${said} for ${asked}`);
    }
    if (core.status().sealed) failures.push(`sealed by ${asked}`);
    if (done % 10_000 === 0) onProgress?.(done);
  }
  await core.close();
  return { statuses, failures };
}

async function fill(core: VaultCore, seed: number): Promise<Corpus> {
  const post = (path: string, data: object) => call(core, 'update', path, { ...data });
  for (const type of ['pki', 'transit', 'kv']) await post(`sys/mounts/${type}`, { type });
  await post('sys/mounts/kv2', { type: 'kv', options: { version: '2' } });
  for (const type of ['kubernetes', 'approle', 'jwt', 'userpass', 'cert'])
    await post(`sys/auth/${type}`, { type });
  await post('pki/root/generate/internal', { common_name: 'R', key_type: 'ec' });
  await post('pki/roles/r', { allow_any_name: true, key_type: 'ec', no_store: true });
  await post('transit/keys/k', {});
  const ca = String((await call(core, 'read', 'pki/ca/pem', {}, '')).raw?.body);
  const csr = await createCsr({ key: await generateKeyPair('ec-p256') });
  const child = tokenOf(await post('auth/token/create', { policies: ['default'] }));
  const batch = tokenOf(await post('auth/token/create', { policies: ['default'], type: 'batch' }));
  const router = core.services?.router;
  const routes = [...(router?.all('secret') ?? []), ...(router?.all('auth') ?? [])].flatMap((mounted) =>
    mounted.backend.routes.map((route) => ({ mount: fullPath(mounted.entry), route })),
  );
  return {
    texts: [policy, jwt, ca, csr, child, batch],
    values: fc.sample(fc.jsonValue(), { numRuns: 500, seed }),
    tokens: ['root', 'root', 'root', child, batch],
    routes: routes.filter(({ mount, route }) => !leftOut.test(mount + route.path)),
  };
}

interface Fuzzed {
  readonly operation: Operation;
  readonly path: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly token: string;
}

function makeRequest(corpus: Corpus, roll: Roll): Fuzzed {
  const { mount, route } = pick(corpus.routes, roll);
  const path = mount + route.path.replace(/[:*]\w+/g, () => pick(words, roll));
  const data: Record<string, unknown> = {};
  for (const name of Object.keys(route.fields ?? {})) {
    if (roll(2) === 0 && name !== 'key_bits' && name !== 'key_type') data[name] = someValue(corpus, roll);
  }
  const known = Object.keys(route.operations) as Operation[];
  return {
    operation: roll(8) === 0 ? pick(operations, roll) : pick(known.length > 0 ? known : operations, roll),
    path: roll(20) === 0 ? mutated(path, roll) : path,
    data,
    token: roll(10) === 0 ? mutated(pick(corpus.tokens.slice(-2), roll), roll) : pick(corpus.tokens, roll),
  };
}

function someValue({ texts, values }: Corpus, roll: Roll): unknown {
  const kind = roll(6);
  if (kind === 0) return pick(texts, roll);
  if (kind === 1) return mutated(pick(texts, roll), roll);
  if (kind === 2) return pick(words, roll);
  if (kind === 3) return pick([0, -1, 1.5, 1e308, '1h', '-1s', true, null, [], {}], roll);
  if (kind === 4) return mutated(String(pick(words, roll)), roll);
  return pick(values, roll);
}

/** A byte changed, a piece cut out or doubled, the rest cut off. */
export function mutated(text: string, roll: Roll): string {
  const bytes = Buffer.from(text);
  const at = roll(bytes.length + 1);
  const how = roll(4);
  if (how === 0) return bytes.subarray(0, at).toString();
  if (how === 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + roll(9))]).toString('latin1');
  if (how === 2)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(roll(bytes.length + 1))]).toString();
  if (at < bytes.length) bytes[at] = roll(256);
  return bytes.toString('latin1');
}

export const pick = <T>(items: readonly T[], roll: Roll): T => items[roll(items.length)] as T;

/** Numbers from 0 up to a bound that are the same for the same seed (mulberry32). */
export function rollOf(seed: number): Roll {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}
