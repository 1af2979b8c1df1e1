import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type CaFlags, caSettings } from '../../src/istio/ca-settings.ts';
import {
  type TestBundle,
  type TestRoot,
  tempFolder,
  testBundle,
  testIssuer,
  testRoot,
  tokenIssuer,
  writeFiles,
} from '../../src/istio/test-mesh.ts';
import {
  CertificateConnection,
  type CertificateQuestion,
  requestCertificate,
} from '../../src/istio/workload-request.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { runCa } from '../../src/server/ca-run.ts';
import { istioLogger } from '../../src/server/istio-log.ts';

export interface RunningCaParts {
  /** Instead of a bundle of the root. */
  readonly files?: TestBundle;
  readonly clock?: Clock;
}

/** A CA of this process on a folder of its own, with tokens checked by JWKS. */
export async function runningCa(
  env: Record<string, string> = {},
  flags: CaFlags = {},
  given?: TestRoot,
  { files, clock = systemClock }: RunningCaParts = {},
) {
  const folder = await tempFolder();
  const root = given ?? (await testRoot());
  const bundle = files ?? (await testBundle(root));
  await writeFiles(folder.path, bundle);
  const issuer = await tokenIssuer();
  const keys = await tempFolder();
  await writeFile(join(keys.path, 'jwks.json'), issuer.jwks);
  const settings = caSettings(
    {
      rootCaDir: folder.path,
      listen: '127.0.0.1:0',
      metrics: '127.0.0.1:0',
      cluster: 'cluster1',
      jwks: join(keys.path, 'jwks.json'),
      issuer: testIssuer,
      ...flags,
    },
    env,
  );
  const stop = new AbortController();
  const out = new PassThrough();
  let log = '';
  out.on('data', (part: Buffer) => {
    log += part.toString();
  });
  const log_ = istioLogger(out, systemClock);
  let done: Promise<void> = Promise.resolve();
  const ports = await new Promise<{ ca: number; metrics?: number }>((onReady, reject) => {
    done = runCa({ settings, env: {}, clock, log: log_, signal: stop.signal, onReady });
    done.catch(reject);
  });
  const address = `127.0.0.1:${ports.ca}`;
  return {
    address,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    folder: folder.path,
    root,
    bundle,
    token: issuer.token,
    log: () => log,
    /** Resolves when `text` stands in the log. */
    logged: async (text: string, since = 0) => {
      const patience = AbortSignal.timeout(20_000);
      while (!log.slice(since).includes(text)) {
        await once(out, 'data', { signal: patience }).catch(() => {
          throw new Error(`"${text}" was not logged; the log is:\n${log}`);
        });
      }
    },
    ask: (call: Partial<Parameters<typeof requestCertificate>[0]> & { csr: string }) =>
      requestCertificate({
        address,
        serverName: 'istiod.istio-system.svc',
        rootPem: root.certificate.pem,
        ttl: 3_600_000,
        ...call,
      }),
    /** A connection for many calls. */
    connect: (rootPem = root.certificate.pem) => {
      const connection = new CertificateConnection({
        address,
        serverName: 'istiod.istio-system.svc',
        rootPem,
      });
      const ttl = 3_600_000;
      return {
        ask: (call: Partial<CertificateQuestion> & { csr: string }) => connection.ask({ ttl, ...call }),
        close: () => connection.close(),
      };
    },
    close: async () => {
      stop.abort();
      await done;
      await Promise.all([folder.remove(), keys.remove()]);
    },
  };
}
