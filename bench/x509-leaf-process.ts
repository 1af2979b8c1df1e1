import { sign, webcrypto } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { testCsr } from '../src/istio/test-mesh.ts';
import { systemClock } from '../src/lib/clock.ts';
import { parseCertificate } from '../src/x509/certificate.ts';
import { parseCsr } from '../src/x509/csr.ts';
import { generateKeyPair, type KeyType } from '../src/x509/keys.ts';
import { createRoot } from '../src/x509/templates/root.ts';
import { issueWorkload } from '../src/x509/templates/workload.ts';
import { oracle as peculiar } from '../src/x509/test-oracle.ts';
import type { Sample } from './lib/measures.ts';
import type { leafJobs } from './x509-leaf.ts';

/** One job in a process of its own: its name comes by stdin, a Sample goes out. */
interface Job {
  run(): unknown;
  readonly atOnce: number;
}

const uris = ['spiffe://cluster.local/ns/demo/sa/shop'];
const order = { uris, ttl: 86_400_000 };

async function issuer(type: KeyType) {
  const key = await generateKeyPair(type);
  const certificate = await createRoot({ key, ttl: 864_000_000, now: systemClock.now() });
  return { certificate, privateKey: key.privateKey };
}

async function leafJob(type: KeyType, atOnce: number): Promise<Job> {
  const [by, { publicKey }] = await Promise.all([issuer(type), generateKeyPair('ec-p256')]);
  return { atOnce, run: () => issueWorkload({ ...order, issuer: by, publicKey, now: systemClock.now() }) };
}

async function peculiarJob(): Promise<Job> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  peculiar.cryptoProvider.set(webcrypto as never);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const extensions = [
    new peculiar.KeyUsagesExtension(peculiar.KeyUsageFlags.digitalSignature, true),
    new peculiar.SubjectAlternativeNameExtension([{ type: 'url', value: uris[0] ?? '' }], true),
    await peculiar.AuthorityKeyIdentifierExtension.create(keys.publicKey),
  ];
  return {
    atOnce: 1,
    run: () =>
      peculiar.X509CertificateGenerator.create({
        issuer: 'O=Istio',
        notBefore: new Date(systemClock.now()),
        notAfter: new Date(systemClock.now() + order.ttl),
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey: keys.privateKey,
        extensions,
      }),
  };
}

const data = Buffer.alloc(500, 7);

const jobs: Readonly<Record<(typeof leafJobs)[number], () => Promise<Job>>> = {
  'limit: raw P-256 signature': async () => {
    const { privateKey } = await generateKeyPair('ec-p256');
    return { atOnce: 1, run: () => sign('sha256', data, privateKey) };
  },
  'workload certificate, P-256 issuer': () => leafJob('ec-p256', 1),
  'P-256 request read and checked': async () => {
    const { csr } = await testCsr();
    return { atOnce: 1, run: () => parseCsr(csr).signatureValid };
  },
  'request to certificate, P-256': async () => {
    const [by, { csr }] = await Promise.all([issuer('ec-p256'), testCsr()]);
    return {
      atOnce: 1,
      run: async () => {
        const { publicKey } = parseCsr(csr);
        return (await issueWorkload({ ...order, issuer: by, publicKey, now: systemClock.now() })).pem;
      },
    };
  },
  'certificate read': async () => {
    const { certificate } = await issuer('ec-p256');
    return { atOnce: 1, run: () => parseCertificate(certificate.pem) };
  },
  '@peculiar/x509 certificate, P-256 issuer': peculiarJob,
  'limit: raw RSA-4096 signature, thread pool': async () => {
    const { privateKey } = await generateKeyPair('rsa-4096');
    const signOnPool = promisify<string, Buffer, typeof privateKey, Buffer>(sign);
    return { atOnce: 16, run: () => signOnPool('sha256', data, privateKey) };
  },
  'workload certificate, RSA-4096 issuer': () => leafJob('rsa-4096', 16),
};

async function measure({ run, atOnce }: Job, seconds: number): Promise<Sample> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const end = began + seconds * 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < end) {
        const result = run();
        if (result instanceof Promise) await result;
        done++;
      }
    }),
  );
  const elapsed = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    perSecond: done / elapsed,
    cpu: (used.user + used.system) / 1000 / done,
    rss: process.memoryUsage.rss() / 1e6,
  };
}

const input = JSON.parse(await text(process.stdin)) as {
  job: (typeof leafJobs)[number];
  seconds: number;
  warmup: number;
};
const job = await jobs[input.job]();
await measure(job, input.warmup);
process.stdout.write(`${JSON.stringify(await measure(job, input.seconds))}\n`);
