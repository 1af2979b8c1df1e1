import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { KubeApi } from './api.ts';
import type { Endpoint } from './endpoint.ts';
import type { KubeconfigCache, KubeconfigContext } from './kubeconfig.ts';
import { RestApi } from './rest-api.ts';
import { isStatic, staticEndpoint } from './static-credentials.ts';

export interface ConnectOptions {
  /** `--kubeconfig FILE` */
  readonly kubeconfig?: string | undefined;
  /** `--context NAME`; the file's current-context otherwise. */
  readonly context?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
  /** Shared by the calls of one command, so that a file of many contexts is read once. */
  readonly kubeconfigs?: KubeconfigCache | undefined;
  /** Most connections at one time; each watch needs one of its own. Without it: as many as there are questions. */
  readonly connections?: number | undefined;
  /** Folder of the in-cluster token, CA and namespace. */
  readonly serviceAccountDir?: string | undefined;
}

const defaultServiceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster that the caller means: `--kubeconfig`, else $KUBECONFIG (a list of files), else the pod's own service
 * account, else ~/.kube/config. Nothing is sent yet.
 * @throws MeshrootError `kubeconfig-missing`, `bad-kubeconfig`, `unknown-context`, `no-cluster`
 */
export async function connect(options: ConnectOptions): Promise<KubeApi> {
  return connectTo(await endpointOf(options), options);
}

/** KubeApi for an endpoint that is already known (the sandbox, tests). */
export function connectTo(
  endpoint: Endpoint,
  options: Pick<ConnectOptions, 'clock' | 'random' | 'connections'> = {},
): KubeApi {
  const { clock = systemClock, random = Math.random, connections } = options;
  return new RestApi(endpoint, clock, random, connections);
}

async function endpointOf(options: ConnectOptions): Promise<Endpoint> {
  const { env, kubeconfig, context, kubeconfigs } = options;
  const clock = options.clock ?? systemClock;
  const files = (paths: string[]) => fromFiles(paths, { context, kubeconfigs }, clock);
  if (kubeconfig) return files([kubeconfig]);
  const listed = env.KUBECONFIG?.split(delimiter).filter((path) => path !== '') ?? [];
  if (listed.length > 0) return files(listed);
  const dir = options.serviceAccountDir ?? defaultServiceAccountDir;
  if (context === undefined && env.KUBERNETES_SERVICE_HOST && existsSync(join(dir, 'token'))) {
    return inCluster(env.KUBERNETES_SERVICE_HOST, env.KUBERNETES_SERVICE_PORT ?? '443', dir, clock);
  }
  const home = env.HOME && join(env.HOME, '.kube', 'config');
  if (home && existsSync(home)) return files([home]);
  throw new MeshrootError('no-cluster', 'no Kubernetes cluster is configured', {
    hint: 'name a kubeconfig: --kubeconfig FILE, kubeconfig: FILE in mesh.yaml, or the environment variable KUBECONFIG',
  });
}

/** Loaded only for a file: a program in a pod has none, and the schemas are a tenth of its memory. */
async function fromFiles(
  paths: readonly string[],
  { context, kubeconfigs }: Pick<ConnectOptions, 'context' | 'kubeconfigs'>,
  clock: Clock,
): Promise<Endpoint> {
  const { readKubeconfig } = await import('./kubeconfig.ts');
  return ofContext(await readKubeconfig(paths, context, kubeconfigs), clock);
}

async function ofContext(context: KubeconfigContext, clock: Clock): Promise<Endpoint> {
  if (isStatic(context)) return await staticEndpoint(context, clock);
  const { pluginEndpoint } = await import('./plugin-credentials.ts');
  return await pluginEndpoint(context);
}

async function inCluster(host: string, port: string, dir: string, clock: Clock): Promise<Endpoint> {
  const namespace = await readFile(join(dir, 'namespace'), 'utf8').catch(() => 'default');
  return await staticEndpoint(
    {
      name: 'in-cluster',
      clusterName: 'in-cluster',
      cluster: {
        server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
        'certificate-authority': join(dir, 'ca.crt'),
      },
      userName: 'in-cluster',
      user: { tokenFile: join(dir, 'token') },
      namespace: namespace.trim(),
    },
    clock,
  );
}
