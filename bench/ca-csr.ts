import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/lib/clock.ts';
import { generateKeyPair, privateKeyPem } from '../src/x509/keys.ts';
import { issueServing } from '../src/x509/templates/serving.ts';
import { onPath } from '../test/support/on-path.ts';
import { freePorts, start } from '../test/support/program.ts';
import { makeBundle } from './lib/bundle.ts';
import { type Case, callers, caPrograms, caVariant, namelessCsrs } from './lib/ca-variant.ts';
import { answers } from './lib/echo.ts';
import { csrGenerator, loadCsr } from './lib/load-csr.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import { missing } from './lib/peers.ts';
import { repository } from './lib/program.ts';
import type { Build, Mark, Plan, Question, Settings, Variant } from './lib/question.ts';

type Bundle = Awaited<ReturnType<typeof makeBundle>>;

/** How many workloads a second get their certificate, with tokens checked here (JWKS) or by the cluster (TokenReview)? */
export const caCsr: Question = { name: 'ca-csr', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const [ec, rsa] = await Promise.all([makeBundle(), makeBundle('rsa-4096')]);
  const csrs = await namelessCsrs();
  const istiod = onPath('pilot-discovery');
  const programs = caPrograms(settings);
  const cases: Case[] = [
    { suffix: 'JWKS', bundle: ec, jwks: true },
    { suffix: 'TokenReview', bundle: ec, jwks: false },
    { suffix: 'JWKS, RSA-4096 CA', bundle: rsa, jwks: true },
  ];
  const run = (program: Build, oneCase: Case) => caVariant(program, oneCase, csrs, settings);
  return {
    title: 'CSR to certificate, P-256 CSR',
    method: `${callers} callers, 64 identities in turn, a fresh sandbox API server beside it; load by ${csrGenerator}`,
    measures: loadMeasures,
    variants: [
      ...cases.flatMap((oneCase) => programs.map((program) => run(program, oneCase))),
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
