import { createSign, generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { MeshrootError, messageOf } from '../src/lib/errors.ts';
import { parseFields, parseHeaders, parseTarget } from '../src/server/vault-request.ts';
import { readServiceAccountJwt } from '../src/vault/auth/kubernetes/jwt.ts';
import { BatchSeal } from '../src/vault/core/batch-token.ts';
import { coerceFields, type FieldType, type Schema } from '../src/vault/core/fields.ts';
import { pooledRandom } from '../src/vault/core/pooled-random.ts';
import { shareOf } from '../src/vault/core/share-text.ts';
import { Acl } from '../src/vault/policy/acl.ts';
import { parsePolicy } from '../src/vault/policy/parse-policy.ts';
import { mutated, pick, type Roll, rollOf } from '../src/vault/test-fuzz.ts';
import { parseCertificates } from '../src/x509/certificate.ts';
import { createCsr, parseCsr } from '../src/x509/csr.ts';
import { generateKeyPair } from '../src/x509/keys.ts';
import { createRoot } from '../src/x509/templates/root.ts';

interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  readonly read: (text: string) => unknown;
}

export interface ParserFuzz {
  readonly seed: number;
  readonly count: number;
  readonly onProgress: (done: number) => void;
}

/**
 * What clients send as text, broken, against what reads it: it is read, or refused with an error of ours.
 * @returns how many were refused
 * @throws Error naming the reader and its input, for any other error and for a second of the processor
 */
export async function fuzzParsers({ seed, count, onProgress }: ParserFuzz): Promise<number> {
  const roll = rollOf(seed);
  const targets = await makeTargets();
  let refused = 0;
  for (let i = 1; i <= count; i++) {
    const target = pick(targets, roll);
    const text = broken(pick(target.seeds, roll), pick(target.seeds, roll), roll);
    if (!attempt(target, text)) refused++;
    if (i % 50_000 === 0) onProgress(i);
  }
  return refused;
}

function attempt({ name, read }: Target, text: string): boolean {
  const began = process.cpuUsage(); // not the clock: other programs may have the processor
  let isRead = true;
  try {
    read(text);
  } catch (error) {
    if (!(error instanceof MeshrootError))
      throw new Error(`${name} threw ${String(error)} on ${JSON.stringify(text)}`);
    isRead = false;
  }
  if (process.cpuUsage(began).user > 1_000_000)
    throw new Error(`${name} took more than a second of the processor on ${JSON.stringify(text)}`);
  return isRead;
}

/** One to four changes; now and then two texts glued together, or one part many times. */
function broken(text: string, other: string, roll: Roll): string {
  if (roll(16) === 0) return text.slice(0, roll(text.length + 1)) + other.slice(roll(other.length + 1));
  if (roll(64) === 0) return text.slice(0, roll(40)).repeat(1 + roll(400));
  let changed = text;
  for (let i = roll(4); i >= 0; i--) changed = mutated(changed, roll);
  return changed;
}

const policies = [
  'path "a/+/b*" { capabilities = ["read", "list"] allowed_parameters = { "x" = ["1", "a*"] "*" = [] } }',
  'path "kv/{{identity.entity.id}}/*" {\n  policy = "write"\n  min_wrapping_ttl = "1s"\n  max_wrapping_ttl = 90\n}\n# end',
  '{"path":{"secret/*":{"capabilities":["create","deny"],"denied_parameters":{"p":[]},"required_parameters":["q"]}}}',
  'name = "n"\npath "x" { capabilities = ["sudo"] }\npath "y" { denied_parameters = { z = [1, true, "<<EOF"] } }',
];
const jsonBodies = [
  '{"role":"istiod","jwt":"a.b.c","ttl":"1h","policies":["a","b"],"meta":{"k":"v"},"num_uses":3,"renewable":true}',
  '{"data":{"a":"b","c":[1,2,{"d":null}]},"options":{"cas":1}}',
  '[[[[[[{"a":"\\ud800\\u0000"}]]]]]]',
];
const kinds: readonly FieldType[] = ['string', 'int', 'bool', 'seconds', 'list', 'texts', 'map', 'any'];

async function makeTargets(): Promise<Target[]> {
  const key = await generateKeyPair('ec-p256');
  const { pem: ca } = await createRoot({ key, ttl: 3_600_000, now: 1_800_000_000_000 });
  const csrs = [];
  for (const type of ['ec-p256', 'ec-p384', 'ed25519', 'rsa-2048'] as const)
    csrs.push(
      await createCsr({
        key: await generateKeyPair(type),
        sans: { uri: ['spiffe://a/ns/b/sa/c'], dns: ['x'] },
      }),
    );
  const batch = new BatchSeal(Buffer.alloc(32, 1), pooledRandom());
  return [
    { name: 'the policy', seeds: policies, read: askPolicy },
    jwtTarget(),
    { name: 'the certificate', seeds: [ca, ca + ca], read: parseCertificates },
    { name: 'the request for a certificate', seeds: csrs, read: parseCsr },
    { name: 'the body', seeds: jsonBodies, read: readBody },
    {
      name: 'the address',
      seeds: ['GET /v1/sys/health?list=true', 'LIST /v1/kv/%2e%2e/a%00b'],
      read: readTarget,
    },
    { name: 'the headers', seeds: ['1h', 'Bearer hvs.x', '90', '-1m3s'], read: readHeaders },
    { name: 'the batch token', seeds: [batch.seal({} as never)], read: (text) => batch.open(text) },
    { name: 'the key share', seeds: ['ab'.repeat(33), 'YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg=='], read: shareOf },
  ];
}

/** Who calls the parser shows the text of whatever it throws. */
function rulesOf(text: string): ReturnType<typeof parsePolicy> {
  try {
    return parsePolicy(text);
  } catch (error) {
    if (messageOf(error).startsWith('failed to validate policy templating')) return [];
    throw error;
  }
}

function askPolicy(text: string): void {
  const acl = new Acl([{ name: 'p', rules: rulesOf(text) }]);
  for (const path of ['a/x/bc', 'secret/', 'kv/y/z']) {
    acl.allows({ operation: 'update', path, data: { x: 1, p: 'q' }, needsSudo: false, wrapTtl: 30 });
    acl.capabilities(path);
  }
}

/** Signed by a key that is configured: the signature is looked at, too. */
function jwtTarget(): Target {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const account = { namespace: 'b', serviceaccount: { name: 'a', uid: 'u' } };
  const signed = `${part({ alg: 'ES256', kid: 'k' })}.${part({ sub: 's', exp: 9e9, aud: ['x'], 'kubernetes.io': account })}`;
  const signature = createSign('sha256').update(signed).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const seeds = [`${signed}.${signature.toString('base64url')}`, `${part({ alg: 'none' })}.${part({})}.x`];
  return {
    name: 'the JWT',
    seeds,
    read: (text) => [readServiceAccountJwt(text, []), readServiceAccountJwt(text, [pem])],
  };
}

function readBody(text: string): void {
  const fields = parseFields('update', new URLSearchParams(), Buffer.from(text), 'application/json');
  for (const kind of kinds) {
    const schema: Schema = Object.fromEntries(Object.keys(fields).map((name) => [name, kind]));
    try {
      coerceFields(schema, fields);
    } catch (error) {
      if (!(error instanceof MeshrootError)) throw error;
    }
  }
}

function readTarget(text: string): void {
  const [method = '', url = ''] = text.split(' ');
  parseTarget({ method, url } as IncomingMessage);
}

const readHeaders = (text: string): unknown =>
  parseHeaders({ headers: { 'x-vault-wrap-ttl': text, authorization: text } } as unknown as IncomingMessage);
