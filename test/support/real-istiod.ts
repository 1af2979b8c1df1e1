import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, type Program, start } from './program.ts';

export interface IstiodOptions {
  /** Path of pilot-discovery. */
  readonly program: string;
  /** Where it runs; its mesh.yaml is written there. */
  readonly cwd: string;
  readonly kubeconfig: string;
  /** The folder of its CA's files. */
  readonly bundle: string;
  readonly clusterId: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A real istiod, ready. @returns where its CA listens, and its process */
export async function startRealIstiod(
  options: IstiodOptions,
): Promise<{ readonly address: string; readonly istiod: Program }> {
  const { program, cwd, kubeconfig, bundle, clusterId, env = {} } = options;
  const meshConfig = join(cwd, 'istio-mesh.yaml');
  await writeFile(meshConfig, 'trustDomain: cluster.local\n');
  const [http, https, grpc, secure, monitoring] = await freePorts(5);
  const at = (port: number | undefined) => `127.0.0.1:${port}`;
  const flags = {
    kubeconfig,
    registries: '',
    meshConfig,
    httpAddr: at(http),
    httpsAddr: at(https),
    grpcAddr: at(grpc),
    secureGRPCAddr: at(secure),
    monitoringAddr: at(monitoring),
    ctrlz_port: '0',
  };
  const words = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const own = {
    ROOT_CA_DIR: bundle,
    CLUSTER_ID: clusterId,
    POD_NAMESPACE: 'istio-system',
    POD_NAME: 'istiod-0',
  };
  const istiod = start([program, 'discovery', ...words], { cwd, env: { ...own, ...env } });
  await istiod.until(async () => (await fetch(`http://${at(http)}/ready`)).ok);
  return { address: at(secure), istiod };
}
