import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { CertificateCall } from '../../src/istio/workload-request.ts';
import { systemClock } from '../../src/lib/clock.ts';
import {
  type Certificate,
  isSelfSigned,
  isSignedBy,
  parseCertificate,
  parseCertificates,
} from '../../src/x509/certificate.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair, type KeyPair, type KeyType, privateKeyPem } from '../../src/x509/keys.ts';
import type { Name } from '../../src/x509/name.ts';
import { pemBlocks, toPem } from '../../src/x509/pem.ts';
import { createRoot } from '../../src/x509/templates/root.ts';
import { issueWorkload } from '../../src/x509/templates/workload.ts';
import { manyAtOnce } from './many-at-once.ts';
import type { CaTarget } from './target.ts';

/** What comes back: a gRPC code and text, or a chain. */
export interface CaAnswer {
  readonly code: number;
  readonly text?: string | RegExp;
}

export interface CaCase {
  readonly name: string;
  readonly call: (target: CaTarget) => Promise<Partial<CertificateCall> & { csr: string }>;
  readonly expect: CaAnswer;
  /** What istiod answers where we differ on purpose (docs/ca-differences.md). */
  readonly istiod?: CaAnswer;
  /** What our strict mode answers, the default. */
  readonly strict?: CaAnswer;
  /** Faults of the leaf and chain of a good answer; empty = as it should be. */
  readonly faults?: (leaf: Certificate, chain: readonly string[], target: CaTarget) => readonly string[];
}

const hour = 3_600_000;
const refused = { code: 16, text: 'request authenticate failure' } as const;

interface CsrShape {
  readonly type?: KeyType;
  readonly subject?: Name;
  readonly uri?: string;
}

async function csrOf(target: CaTarget | undefined, options: CsrShape = {}): Promise<string> {
  const own = target === undefined ? 'spiffe://cluster.local/ns/foo/sa/bar' : uriOf(target);
  const { type = 'ec-p256', subject = [], uri = own } = options;
  return createCsr({ key: await generateKeyPair(type), subject, sans: { uri: [uri] }, sanCritical: true });
}

const csr = (target?: CaTarget): Promise<string> => csrOf(target);

/** A call with a good token. */
const known =
  (make: (target: CaTarget) => Promise<string>, more: Partial<CertificateCall> = {}) =>
  async (target: CaTarget) => ({
    csr: await make(target),
    token: target.token,
    clusterId: target.cluster,
    ...more,
  });

const bearer =
  (token: string | undefined, more: Partial<CertificateCall> = {}) =>
  async () => ({
    csr: await csr(),
    ...(token === undefined ? {} : { token }),
    ...more,
  });

const isTrue = (fact: boolean, fault: string): string[] => (fact ? [] : [fault]);

function uriOf({ namespace, account }: CaTarget): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}

/** The profile of a leaf, field by field. */
function profileFaults(leaf: Certificate, _chain: readonly string[], target: CaTarget): readonly string[] {
  return [
    ...isTrue(leaf.sans.uri.join() === uriOf(target), `names ${leaf.sans.uri.join()}`),
    ...isTrue(
      leaf.sans.dns.length + leaf.sans.ip.length + leaf.sans.email.length === 0,
      'names more than a URI',
    ),
    ...isTrue(leaf.subject.length === 0, 'has a subject'),
    ...isTrue(!leaf.isCa, 'is a CA'),
    ...isTrue([...(leaf.keyUsage ?? [])].sort().join() === 'digitalSignature,keyEncipherment', 'key usage'),
    ...isTrue(
      [...(leaf.extendedKeyUsage ?? [])].sort().join() === 'clientAuth,serverAuth',
      'extended key usage',
    ),
    ...isTrue(target.vaultSigns === true || leaf.subjectKeyId === undefined, 'has a subject key id'),
    ...isTrue(leaf.authorityKeyId !== undefined, 'has no authority key id'),
    ...isTrue(BigInt(`0x${leaf.serial}`) > 0n && leaf.serial.length <= 40, 'serial'),
    ...isTrue(near(leaf.notAfter - leaf.notBefore, hour + 120_000), `span ${leaf.notAfter - leaf.notBefore}`),
  ];
}

function near(ms: number, wanted: number): boolean {
  return Math.abs(ms - wanted) <= 2000;
}

/** Each certificate is signed by the next, the last of them by a root of the bundle. */
function orderFaults(chain: readonly string[]): readonly string[] {
  const single = chain.slice(0, -1).map((element) => parseCertificate(element));
  const path = single.filter((one, i) => i === 0 || !isSelfSigned(one));
  const roots = parseCertificates(chain.at(-1) ?? '');
  const broken = path.find((one, i) => ![path[i + 1], ...roots].some((up) => up && isSignedBy(one, up)));
  return isTrue(broken === undefined, `${broken?.subject[0]?.value} is not followed by its issuer`);
}

function chainFaults(_leaf: Certificate, chain: readonly string[], target: CaTarget): readonly string[] {
  const single = chain.slice(0, -1);
  return [
    ...isTrue(chain.length >= 2, 'fewer than two elements'),
    ...isTrue(chain.at(-1) === target.rootPem, 'the last element is not the root bundle'),
    ...isTrue(
      single.every((element) => parseCertificates(element).length === 1),
      'an element holds several',
    ),
    ...orderFaults(chain),
    ...isTrue(
      single.every((element) => /[^\n]\n$/.test(element)),
      'an element does not end with one newline',
    ),
  ];
}

function weakKey(): KeyPair {
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('rsa', {
    modulusLength: 1024,
  });
  return { type: 'rsa-1024', ...pair };
}

async function brokenSignature(): Promise<string> {
  const [block] = pemBlocks(await csrOf(undefined, { type: 'rsa-2048' }));
  const der = Buffer.from(block!.der);
  der[der.length - 1]! ^= 1;
  return toPem('CERTIFICATE REQUEST', der);
}

const good = { code: 0 } as const;

/** A certificate in hand: what a machine renews with. */
async function client(target: CaTarget) {
  const key = await generateKeyPair('ec-p256');
  const first = await createCsr({ key, sans: { uri: [uriOf(target)] } });
  const chain = await target.ask({ csr: first, token: target.token, clusterId: target.cluster });
  return { chain: chain.slice(0, 2).join(''), key: privateKeyPem(key.privateKey).reveal() };
}

/** A certificate for the same identity by a root that nobody here knows. */
async function strangersClient(target: CaTarget) {
  const [caKey, key] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const now = systemClock.now();
  const subject = [{ type: 'CN', value: 'stranger' }] as const;
  const certificate = await createRoot({ key: caKey, subject, ttl: 24 * hour, now });
  const issuer = { certificate, privateKey: caKey.privateKey };
  const leaf = await issueWorkload({
    issuer,
    publicKey: key.publicKey,
    uris: [uriOf(target)],
    ttl: hour,
    now,
  });
  return { chain: leaf.pem + certificate.pem, key: privateKeyPem(key.privateKey).reveal() };
}

/** As many requests at a time as a node that restarts; the last answer is judged, the others are counted. */
async function burst(target: CaTarget) {
  const call = { csr: await csrOf(target), token: target.token, clusterId: target.cluster };
  const count = target.atOnce ?? 1000;
  const chains = await manyAtOnce(target, call, count - 1);
  const serials = new Set(chains.map(([leaf = '']) => parseCertificate(leaf).serial));
  if (serials.size !== count - 1) throw new Error(`${serials.size} serials of ${count - 1} certificates`);
  return call;
}

/** What a black box can be asked, case by case. */
export const caCases: readonly CaCase[] = [
  { name: 'no token', call: bearer(undefined), expect: refused },
  { name: 'a token that is none', call: bearer('bad'), expect: refused },
  { name: 'a token for another cluster', call: known(csr, { clusterId: 'nowhere' }), expect: refused },
  { name: 'no cluster id means this cluster', call: known(csr, { clusterId: '' }), expect: good },
  {
    name: 'impersonation by an account that is not trusted with it',
    call: known(csr, { metadata: { ImpersonatedIdentity: 'spiffe://cluster.local/ns/a/sa/b' } }),
    expect: { code: 16, text: 'request impersonation authentication failure' },
  },
  {
    name: 'text in place of a request',
    call: known(async () => 'not a CSR'),
    expect: { code: 3, text: 'CSR signing error (certificate signing request is not properly encoded)' },
  },
  {
    name: 'PEM of rubbish',
    call: known(async () => toPem('CERTIFICATE REQUEST', Buffer.from('rubbish'))),
    expect: { code: 3, text: 'CSR signing error (failed to parse X.509 certificate signing request)' },
  },
  {
    name: 'a request whose signature is wrong',
    call: known(brokenSignature),
    expect: { code: 3, text: /^CSR signing error \(/ },
  },
  {
    name: 'a life beyond the maximum',
    call: known(csr, { ttl: 2161 * hour }),
    expect: {
      code: 3,
      text: 'CSR signing error (requested TTL 2161h0m0s is greater than the max allowed TTL 2160h0m0s)',
    },
  },
  {
    name: 'no life asked for gives the default of a day',
    call: known(csr, { ttl: 0 }),
    expect: good,
    faults: (leaf) => isTrue(near(leaf.notAfter - leaf.notBefore, 24 * hour + 120_000), 'not a day'),
  },
  {
    name: 'a negative life gives the default of a day',
    call: known(csr, { ttl: -hour }),
    expect: good,
    faults: (leaf) => isTrue(near(leaf.notAfter - leaf.notBefore, 24 * hour + 120_000), 'not a day'),
  },
  { name: 'the leaf has istiod’s profile', call: known(csr), expect: good, faults: profileFaults },
  {
    name: 'the chain is one certificate per element, root bundle last',
    call: known(csr),
    expect: good,
    faults: chainFaults,
  },
  ...(['rsa-2048', 'ec-p256', 'ec-p384', 'ed25519'] as const).map((type) => ({
    name: `a key of ${type}`,
    call: known((target) => csrOf(target, { type })),
    expect: good,
    faults: profileFaults,
  })),
  {
    name: 'the empty organization of pilot-agent',
    call: known((target) => csrOf(target, { subject: [{ type: 'O', value: '' }] })),
    expect: good,
    faults: profileFaults,
  },
  {
    name: 'no subject, and the identity marked critical, as ztunnel asks',
    call: known((target) => csrOf(target, { subject: [] })),
    expect: good,
    faults: profileFaults,
  },
  {
    name: 'a common name becomes the identity, not what was asked for',
    call: known((target) => csrOf(target, { subject: [{ type: 'CN', value: 'admin' }] })),
    expect: good,
    strict: refused,
    faults: (leaf, _chain, target) =>
      isTrue(leaf.subject.map(({ value }) => value).join() === uriOf(target), 'common name'),
  },
  {
    name: 'a foreign name in the request is not granted',
    call: known((target) => csrOf(target, { uri: 'spiffe://cluster.local/ns/istio-system/sa/istiod' })),
    expect: good,
    strict: refused,
    faults: profileFaults,
  },
  ...(
    [
      ['a DNS name', { dns: ['istiod.istio-system.svc'] }],
      ['an IP address', { ip: ['10.0.0.1'] }],
      ['an e-mail address', { email: ['a@b.c'] }],
    ] as const
  ).map(([what, names]) => ({
    name: `${what} in the request beside the identity`,
    call: known(async (target) =>
      createCsr({ key: await generateKeyPair('ec-p256'), sans: { uri: [uriOf(target)], ...names } }),
    ),
    expect: good,
    strict: refused,
    faults: profileFaults,
  })),
  {
    name: 'a second identity beside the own one',
    call: known(async (target) =>
      createCsr({
        key: await generateKeyPair('ec-p256'),
        sans: { uri: [uriOf(target), 'spiffe://cluster.local/ns/a/sa/b'] },
      }),
    ),
    expect: good,
    strict: refused,
    faults: profileFaults,
  },
  {
    name: 'a request without any name',
    call: known(async () => createCsr({ key: await generateKeyPair('ec-p256') })),
    expect: good,
    faults: profileFaults,
  },
  {
    name: 'a 1024-bit RSA key',
    call: known(() => createCsr({ key: weakKey(), sans: { uri: ['spiffe://cluster.local/ns/foo/sa/bar'] } })),
    expect: { code: 3, text: 'CSR signing error (RSA key of 1024 bits: 2048 to 8192 are signed)' },
    istiod: good,
  },
  {
    name: 'a certificate in hand renews itself without a token',
    call: async (target) => ({ csr: await csr(target), client: await client(target) }),
    expect: good,
    faults: profileFaults,
  },
  {
    name: 'a certificate in hand renews no other identity',
    call: async (target) => ({
      csr: await csrOf(target, { uri: 'spiffe://cluster.local/ns/a/sa/b' }),
      client: await client(target),
    }),
    expect: good,
    strict: refused,
    faults: profileFaults,
  },
  {
    name: 'a client certificate of strangers, without a token',
    call: async (target) => ({ csr: await csr(target), client: await strangersClient(target) }),
    expect: refused,
    istiod: { code: 14 },
  },
  {
    name: 'a client certificate of strangers beside a good token',
    call: async (target) => ({
      csr: await csr(target),
      token: target.token,
      client: await strangersClient(target),
    }),
    expect: good,
    istiod: { code: 14 },
    faults: profileFaults,
  },
  {
    name: 'a thousand at once are all served, each with a serial of its own',
    call: burst,
    expect: good,
    faults: profileFaults,
  },
  {
    name: 'the root is not sent twice',
    call: known(csr),
    expect: good,
    faults: (_leaf, chain, target) =>
      isTrue(
        target.kind === 'istiod' ||
          !chain.slice(0, -1).some((one) => parseCertificate(one).pem === target.rootPem),
        'root among the intermediates',
      ),
  },
];
