import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../src/lib/clock.ts';
import { generateKeyPair, privateKeyPem } from '../src/x509/keys.ts';
import { createRoot } from '../src/x509/templates/root.ts';
import { issueServing } from '../src/x509/templates/serving.ts';
import { onPath } from '../test/support/on-path.ts';
import { freePorts, type Program, start } from '../test/support/program.ts';
import { answers, startEcho } from './lib/echo.ts';
import { istiodReview } from './lib/istiod-review.ts';
import { loadHttps, ownGenerator } from './lib/load-http.ts';
import { measureLoad } from './lib/measure-load.ts';
import { loadMeasures } from './lib/measures.ts';
import { missing } from './lib/peers.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';

/** How fast is the pod of an annotated istiod admitted, by many API server connections and by one? */
export const injectorAdmission: Question = { name: 'injector-admission', prepare };

interface Webhook {
  readonly name: string;
  start(port: number): Program;
}

async function prepare(settings: Settings): Promise<Plan> {
  const tls = await servingFiles(settings.scratch);
  const args = (port: number) => [
    `-listen=127.0.0.1:${port}`,
    '-vault-address=http://127.0.0.1:8200',
    `-tls-cert-file=${tls.certFile}`,
    `-tls-key-file=${tls.keyFile}`,
    '-log-level=error',
  ];
  const webhooks: Webhook[] = settings.builds.map(({ name, command }) => ({
    name,
    start: (port) =>
      start([...command, 'injector', 'agent-inject', ...args(port)], { cwd: settings.scratch }),
  }));
  const peer = await realInjector();
  if (peer.wrap !== undefined) {
    const { wrap } = peer;
    webhooks.push({
      name: 'vault-k8s',
      start: (port) => start(wrap(args(port)), { cwd: settings.scratch, env }),
    });
  }
  const variants = webhooks.flatMap((webhook) =>
    [8, 1].map((count) => admissionVariant(webhook, count, settings)),
  );
  return {
    title: "Admission of the seed's istiod pod",
    method: `POST /mutate over TLS; load by ${ownGenerator}`,
    measures: loadMeasures,
    variants: [...variants, echoVariant(tls, settings)],
    marks: settings.builds.flatMap(({ name }) => [
      {
        ours: `${name}, 8 connections`,
        other: 'vault-k8s, 8 connections',
        measure: 'perSecond',
        atLeast: 1.2,
      },
      { ours: `${name}, 8 connections`, other: 'vault-k8s, 8 connections', measure: 'p99', atMost: 1 },
    ]),
    notes: peer.note === undefined ? [] : [peer.note],
  };
}

const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '9' };

/**
 * vault-k8s wants to be in a pod: it reads the service account's token from its fixed place. A private mount namespace
 * (which takes root) has one there; the API server is never asked.
 */
async function realInjector(): Promise<{ wrap?: (args: readonly string[]) => string[]; note?: string }> {
  const program = onPath('vault-k8s');
  if (program === undefined) return { note: missing('vault-k8s') };
  try {
    await promisify(execFile)('unshare', ['-m', 'true']);
  } catch {
    return {
      note: 'vault-k8s is there, but a mount namespace for it takes root: only ours and the physical limit',
    };
  }
  const place = '/run/secrets/kubernetes.io/serviceaccount';
  const script = `mount -t tmpfs t /run && mkdir -p ${place} && printf x >${place}/token && exec "$0" agent-inject "$@"`;
  return { wrap: (args) => ['unshare', '-m', 'sh', '-c', script, program, ...args] };
}

function admissionVariant(webhook: Webhook, connections: number, settings: Settings): Variant {
  return {
    name: `${webhook.name}, ${connections === 1 ? '1 connection' : `${connections} connections`}`,
    run: async () => {
      const [port = 0] = await freePorts(1);
      const program = webhook.start(port);
      try {
        await program.until(() => answers(port));
        const url = `https://127.0.0.1:${port}/mutate`;
        return await measureLoad(program.pid, (seconds) => post(url, connections, seconds), settings);
      } finally {
        await program.stop();
      }
    },
  };
}

function echoVariant(tls: { certificate: string; key: string }, settings: Settings): Variant {
  return {
    name: 'limit: bare node:https, 8 connections',
    run: async () => {
      const { url, program } = await startEcho(6000, settings.scratch, tls);
      try {
        return await measureLoad(program.pid, (seconds) => post(url, 8, seconds), settings);
      } finally {
        await program.stop();
      }
    },
  };
}

const body = JSON.stringify(istiodReview());
const headers = { 'Content-Type': 'application/json' };

function post(url: string, connections: number, seconds: number) {
  return loadHttps({ url, method: 'POST', headers, body, connections, seconds });
}

async function servingFiles(scratch: string) {
  const folder = await mkdtemp(join(scratch, 'tls-'));
  const now = systemClock.now();
  const [rootKey, key] = await Promise.all([generateKeyPair('ec-p256'), generateKeyPair('ec-p256')]);
  const root = await createRoot({ key: rootKey, ttl: 86_400_000, now });
  const certificate = await issueServing({
    issuer: { certificate: root, privateKey: rootKey.privateKey },
    publicKey: key.publicKey,
    dns: ['localhost'],
    ips: ['127.0.0.1'],
    ttl: 3_600_000,
    now,
  });
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const keyPem = privateKeyPem(key.privateKey).reveal();
  await writeFile(certFile, certificate.pem);
  await writeFile(keyFile, keyPem, { mode: 0o600 });
  return { certFile, keyFile, certificate: certificate.pem, key: keyPem };
}
