import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleShapes } from '../../src/istio/test-bundles.ts';
import {
  day,
  type TestBundle,
  type TestRoot,
  testBundle,
  testCsr,
  testRoot,
  writeFiles,
} from '../../src/istio/test-mesh.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { parseCertificate, parseCertificates } from '../../src/x509/certificate.ts';
import { generateKeyPair, privateKeyPem } from '../../src/x509/keys.ts';
import { issueWorkload } from '../../src/x509/templates/workload.ts';
import type { CaAnswer } from './cases.ts';
import { type Answered, answerOf, wrongAnswer } from './run-cases.ts';
import type { CaTarget } from './target.ts';
import { unverified } from './unverified.ts';

/** A CA that was started for one situation, on files of its own. */
export interface StartedCa extends CaTarget {
  readonly address: string;
  readonly folder: string;
  /** Resolves when `text` stands in its log. */
  logged(text: string): Promise<void>;
  /** Lets its time go on by `ms`: waits, or sets its clock. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts one on `files`, with multi-root on. */
export type StartCa = (files: TestBundle) => Promise<StartedCa>;

export interface CaSituation {
  readonly name: string;
  readonly files: (root: TestRoot, other: TestRoot) => Promise<TestBundle>;
  /** What has to happen before it is asked, and the question. */
  readonly ask: (ca: StartedCa, root: TestRoot, other: TestRoot) => Promise<SituationAnswer>;
  readonly expect: CaAnswer;
  /** What istiod answers where we differ on purpose (docs/ca-differences.md). */
  readonly istiod?: CaAnswer;
}

export interface SituationAnswer extends Answered {
  /** What is wrong with the chain. */
  readonly fault?: string | undefined;
}

const good = { code: 0 } as const;
const hour = 3_600_000;
const pemOf = (...roots: TestRoot[]): string => roots.map(({ certificate }) => certificate.pem).join('');

/** A certificate of the target's identity under `root`, as a machine that moved over from another cluster has it. */
async function clientUnder(root: TestRoot, { namespace, account }: CaTarget) {
  const [key, now] = [await generateKeyPair('ec-p256'), Date.now()];
  const leaf = await issueWorkload({
    issuer: { certificate: root.certificate, privateKey: root.key.privateKey },
    publicKey: key.publicKey,
    uris: [`spiffe://cluster.local/ns/${namespace}/sa/${account}`],
    ttl: hour,
    now,
  });
  return { chain: leaf.pem, key: privateKeyPem(key.privateKey).reveal() };
}

/** A request of the target's own identity. */
async function requestOf({ namespace, account }: CaTarget): Promise<string> {
  return (await testCsr({ uri: `spiffe://cluster.local/ns/${namespace}/sa/${account}` })).csr;
}

const byToken = async (ca: StartedCa): Promise<SituationAnswer> =>
  answerOf(ca, { csr: await requestOf(ca), token: ca.token, clusterId: ca.cluster });

const renewed = async (ca: StartedCa, under: TestRoot): Promise<SituationAnswer> =>
  answerOf(ca, { csr: await requestOf(ca), client: await clientUnder(under, ca) });

const unless = (fact: boolean, fault: string): { fault?: string } => (fact ? {} : { fault });

async function shape(name: string, root: TestRoot): Promise<TestBundle> {
  const found = bundleShapes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no bundle shape "${name}"`);
  return (await found.files(root)) as TestBundle; // of these shapes no file is missing
}

/** What only a CA can be asked whose files are ours: the rest of the table beside `caCases`. */
export const caSituations: readonly CaSituation[] = [
  {
    name: 'a bundle of three roots is the last element, whole',
    files: (root) => shape('three roots', root),
    expect: good,
    ask: async (ca) => {
      const { answer, chain } = await byToken(ca);
      const last = chain.at(-1) ?? '';
      const whole = last === ca.rootPem && parseCertificates(last).length === 3;
      return { answer, chain, ...unless(whole, 'the last element is not the bundle of three') };
    },
  },
  {
    name: 'of two intermediates each is an element, the signer first',
    files: (root) => shape('two intermediates', root),
    expect: good,
    ask: async (ca) => {
      const { answer, chain } = await byToken(ca);
      const names = chain.slice(1, 3).map((one) => parseCertificate(one).subject.at(-1)?.value);
      return { answer, chain, ...unless(names.join() === 'second,first', `the order is ${names.join()}`) };
    },
  },
  {
    name: 'a client certificate under the second root renews',
    files: (root, other) => testBundle(root, { rootPem: pemOf(root, other) }),
    expect: good,
    ask: (ca, _root, other) => renewed(ca, other),
  },
  {
    name: 'a client certificate under a root that was added since the start renews',
    files: (root) => testBundle(root),
    expect: good,
    istiod: { code: 14 },
    ask: async (ca, root, other) => {
      await writeFiles(ca.folder, { 'root-cert.pem': pemOf(root, other) });
      await ca.logged('Update trust anchor with new root cert');
      return renewed(ca, other);
    },
  },
  {
    name: 'a signer that has ended signs nothing',
    files: (root) => testBundle(root, { now: Date.now() - day, ttl: day + 45_000 }),
    expect: { code: 13, text: /^CSR signing error \(/ },
    ask: async (ca) => {
      const { notAfter } = parseCertificate(await readFile(join(ca.folder, 'ca-cert.pem'), 'utf8'));
      await ca.pass(notAfter - Date.now() + 1000);
      const answer = await unverified(ca.address, { csr: await requestOf(ca), token: ca.token });
      return { answer, chain: [] };
    },
  },
];

/** What is wrong with the answer to one situation. */
export async function situationProblem(one: CaSituation, start: StartCa): Promise<string | undefined> {
  const [root, other] = [
    await testRoot('A', 3650 * day, Date.now() - 2 * day),
    await testRoot('B', 3650 * day, Date.now() - 2 * day),
  ];
  const ca = await start(await one.files(root, other));
  try {
    const { answer, fault } = await one.ask(ca, root, other);
    const wanted = (ca.kind === 'istiod' ? one.istiod : undefined) ?? one.expect;
    return wrongAnswer(answer, wanted) ?? fault;
  } catch (error) {
    return messageOf(error); // what had to be done before the question failed
  } finally {
    await ca.close();
  }
}
