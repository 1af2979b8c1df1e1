import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFiles } from '../../src/istio/test-mesh.ts';
import { createCsr } from '../../src/x509/csr.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { onPath } from '../../test/support/on-path.ts';
import { freePorts, start } from '../../test/support/program.ts';
import type { makeBundle } from './bundle.ts';
import { answers } from './echo.ts';
import { type CsrLoad, loadCsr } from './load-csr.ts';
import { measureLoad } from './measure-load.ts';
import type { Build, Settings, Variant } from './question.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';

export const callers = 16;
type Bundle = Awaited<ReturnType<typeof makeBundle>>;

export interface Case {
  readonly suffix: string;
  readonly bundle: Bundle;
  readonly jwks: boolean;
}

/** Ours, and istiod where it is on PATH. */
export function caPrograms(settings: Settings): readonly Build[] {
  const istiod = onPath('pilot-discovery');
  return [
    ...settings.builds.map(({ name, command }) => ({ name, command: [...command, 'ca'] })),
    ...(istiod === undefined ? [] : [{ name: 'istiod', command: [istiod] }]),
  ];
}

/** Without a name, as ztunnel's: strict mode takes it from every one of the identities. */
export const namelessCsrs = (): Promise<string[]> =>
  Promise.all(Array.from({ length: 16 }, async () => createCsr({ key: await generateKeyPair('ec-p256') })));

/**
 * One program under one kind of load.
 * @param rates what each program reached at full load, half of it: kept for a case whose name ends with "half load"
 */
export function caVariant(
  { name, command }: Build,
  { suffix, bundle, jwks }: Case,
  csrs: readonly string[],
  settings: Settings,
  rates = new Map<string, number>(),
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
