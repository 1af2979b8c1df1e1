import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFiles } from '../src/istio/test-mesh.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createCsr } from '../src/x509/csr.ts';
import { generateKeyPair, privateKeyPem } from '../src/x509/keys.ts';
import { issueServing } from '../src/x509/templates/serving.ts';
import { makeBundle } from './lib/bundle.ts';
import { answers } from './lib/echo.ts';
import { type CsrLoad, csrGenerator, loadCsr } from './lib/load-csr.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures, type Sample } from './lib/measures.ts';
import { missing, onPath } from './lib/peers.ts';
import { freePorts, repository, start } from './lib/program.ts';
import type { Build, Mark, Plan, Question, Settings, Variant } from './lib/question.ts';
import { type Sandbox, startSandbox } from './lib/sandbox.ts';

const callers = 16;
type Bundle = Awaited<ReturnType<typeof makeBundle>>;

/** How many workloads a second get their certificate, with tokens checked here (JWKS) or by the cluster (TokenReview)? */
export const caCsr: Question = { name: 'ca-csr', prepare };

interface Case {
  readonly suffix: string;
  readonly bundle: Bundle;
  readonly jwks: boolean;
}

async function prepare(settings: Settings): Promise<Plan> {
  const [ec, rsa] = await Promise.all([makeBundle(), makeBundle('rsa-4096')]);
  // without a name, as ztunnel's: strict mode takes it from every one of the identities
  const csrs = await Promise.all(
    Array.from({ length: 16 }, async () => createCsr({ key: await generateKeyPair('ec-p256') })),
  );
  const istiod = onPath('pilot-discovery');
  const programs: Build[] = [
    ...settings.builds.map(({ name, command }) => ({ name, command: [...command, 'ca'] })),
    ...(istiod === undefined ? [] : [{ name: 'istiod', command: [istiod] }]),
  ];
  const cases: Case[] = [
    { suffix: 'JWKS', bundle: ec, jwks: true },
    { suffix: 'TokenReview', bundle: ec, jwks: false },
    { suffix: 'JWKS, RSA-4096 CA', bundle: rsa, jwks: true },
  ];
  const rates = new Map<string, number>(); // of the last full load, for the half load of the same round
  const run = (program: Build, oneCase: Case) => caVariant(program, oneCase, csrs, settings, rates);
  return {
    title: 'CSR to certificate, P-256 CSR',
    method: `${callers} callers, 64 identities in turn, a fresh sandbox API server beside it; load by ${csrGenerator}; "half load" sends at half of the same program's rate, latency from the moment a call was due`,
    measures: loadMeasures,
    variants: [
      ...cases.flatMap((oneCase) => programs.map((program) => run(program, oneCase))),
      ...programs.map((program) =>
        halfLoad(program, run(program, { suffix: 'JWKS, half load', bundle: ec, jwks: true }), rates),
      ),
      echoVariant(ec, csrs, settings),
    ],
    marks: settings.builds.flatMap(({ name }) => marksOf(name)),
    notes: [
      ...(istiod === undefined ? [missing('pilot-discovery')] : []),
      'raw RSA-4096 signatures, the limit of that row, are in x509-leaf',
    ],
  };
}

const marksOf = (name: string): Mark[] => [
  { ours: `${name}, JWKS`, other: 'istiod, JWKS', measure: 'perSecond', atLeast: 1.3 },
  { ours: `${name}, JWKS`, other: 'istiod, TokenReview', measure: 'perSecond', atLeast: 20 },
  { ours: `${name}, TokenReview`, other: 'istiod, TokenReview', measure: 'perSecond', atLeast: 1 },
];

function caVariant(
  { name, command }: Build,
  { suffix, bundle, jwks }: Case,
  csrs: readonly string[],
  settings: Settings,
  rates: Map<string, number>,
): Variant {
  return {
    name: `${name}, ${suffix}`,
    run: async () => {
      const sandbox = await startSandbox();
      const { program, port } = await startCa(command, bundle, sandbox, jwks, settings);
      const rate = suffix.endsWith('half load') ? rates.get(name) : undefined;
      const load = (seconds: number) =>
        loadCsr({
          ...common(bundle, port, csrs, jwks ? sandbox.jwksTokens : sandbox.workloadTokens, seconds),
          ...(rate === undefined ? {} : { rate }),
        });
      try {
        await program.until(() => answers(port));
        const sample = await measureLoad(program.pid, load, settings);
        if (suffix === 'JWKS') rates.set(name, (sample.perSecond ?? 0) / 2);
        return sample;
      } finally {
        await program.stop();
        await sandbox.stop();
      }
    },
  };
}

/** In a round that runs backwards the full load has not come yet: then that of the round before counts. */
function halfLoad({ name }: Build, variant: Variant, rates: Map<string, number>): Variant {
  const run = async (): Promise<Sample> => (rates.has(name) ? variant.run() : {});
  return { ...variant, run };
}

function common(
  { root }: Bundle,
  port: number,
  csrs: readonly string[],
  tokens: readonly string[],
  seconds: number,
): CsrLoad {
  return {
    port,
    rootPem: root.certificate.pem,
    tokens,
    csrs,
    callers,
    seconds,
    verify: true,
  };
}

/** The flags and environment are istiod's, which ours takes as well. */
async function startCa(
  command: readonly string[],
  { files }: Bundle,
  { kubeconfig, jwksUrl, jwksIssuer }: Sandbox,
  jwks: boolean,
  { scratch }: Settings,
) {
  const folder = await mkdtemp(join(scratch, 'ca-'));
  await writeFiles(folder, files);
  await writeFile(join(folder, 'kubeconfig'), kubeconfig, { mode: 0o600 });
  await writeFile(join(folder, 'mesh.yaml'), 'trustDomain: cluster.local\n');
  const ports = await freePorts(5);
  const [http, https, grpc, port = 0, monitoring] = ports;
  const rule = { issuer: jwksIssuer, jwks_uri: jwksUrl, audiences: ['istio-ca'] };
  const flags = [
    `--kubeconfig=${join(folder, 'kubeconfig')}`,
    '--registries=',
    `--meshConfig=${join(folder, 'mesh.yaml')}`,
    `--httpAddr=127.0.0.1:${http}`,
    `--httpsAddr=127.0.0.1:${https}`,
    `--grpcAddr=127.0.0.1:${grpc}`,
    `--secureGRPCAddr=127.0.0.1:${port}`,
    `--monitoringAddr=127.0.0.1:${monitoring}`,
    '--ctrlz_port=0',
  ];
  const env = {
    ROOT_CA_DIR: folder,
    CLUSTER_ID: 'cluster1',
    POD_NAMESPACE: 'istio-system',
    POD_NAME: 'istiod-x',
    ...(jwks ? { JWT_RULE: JSON.stringify(rule) } : {}),
  };
  return { program: start([...command, 'discovery', ...flags], { cwd: folder, env }), port };
}

const echoScript = fileURLToPath(new URL('./lib/grpc-echo-process.ts', import.meta.url));

function echoVariant(bundle: Bundle, csrs: readonly string[], settings: Settings): Variant {
  return {
    name: 'limit: bare grpc-js server, same size',
    run: async () => {
      const [port = 0] = await freePorts(1);
      const key = await generateKeyPair('ec-p256');
      const issuer = { certificate: bundle.root.certificate, privateKey: bundle.root.key.privateKey };
      const now = systemClock.now();
      const dns = ['istiod.istio-system.svc'];
      const certificate = await issueServing({ issuer, publicKey: key.publicKey, dns, ttl: 3_600_000, now });
      const folder = await mkdtemp(join(settings.scratch, 'echo-'));
      const [CERT, KEY] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
      await writeFile(CERT, certificate.pem);
      await writeFile(KEY, privateKeyPem(key.privateKey).reveal(), { mode: 0o600 });
      const env = {
        CERT,
        KEY,
        PORT: String(port),
        SIZE: String(bundle.files['cert-chain.pem'].length * 1.5),
      };
      const program = start([process.execPath, '--import', 'tsx', echoScript], { cwd: repository, env });
      const load = (seconds: number) =>
        loadCsr({
          port,
          rootPem: issuer.certificate.pem,
          tokens: ['x'.repeat(800)],
          csrs,
          callers,
          seconds,
          verify: false,
        });
      try {
        await program.until(() => answers(port));
        return await measureLoad(program.pid, load, settings);
      } finally {
        await program.stop();
      }
    },
  };
}
