import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { KubeApi } from './api.ts';
import type { Endpoint } from './endpoint.ts';
import type { KubeconfigContext } from './kubeconfig.ts';
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
  options: { readonly clock?: Clock | undefined; readonly random?: (() => number) | undefined } = {},
): KubeApi {
  return new RestApi(endpoint, options.clock ?? systemClock, options.random ?? Math.random);
}

async function endpointOf(options: ConnectOptions): Promise<Endpoint> {
  const { env, kubeconfig, context } = options;
  const clock = options.clock ?? systemClock;
  if (kubeconfig) return fromFiles([kubeconfig], context, clock);
  const listed = env.KUBECONFIG?.split(delimiter).filter((path) => path !== '') ?? [];
  if (listed.length > 0) return fromFiles(listed, context, clock);
  const dir = options.serviceAccountDir ?? defaultServiceAccountDir;
  if (context === undefined && env.KUBERNETES_SERVICE_HOST && existsSync(join(dir, 'token'))) {
    return inCluster(env.KUBERNETES_SERVICE_HOST, env.KUBERNETES_SERVICE_PORT ?? '443', dir, clock);
  }
  const home = env.HOME && join(env.HOME, '.kube', 'config');
  if (home && existsSync(home)) return fromFiles([home], context, clock);
  throw new MeshrootError('no-cluster', 'no Kubernetes cluster is configured', {
    hint: 'name a kubeconfig: --kubeconfig FILE, kubeconfig: FILE in mesh.yaml, or the environment variable KUBECONFIG',
  });
}

/** Loaded only for a file: a program in a pod has none, and the schemas are a tenth of its memory. */
async function fromFiles(
  paths: readonly string[],
  context: string | undefined,
  clock: Clock,
): Promise<Endpoint> {
  const { readKubeconfig } = await import('./kubeconfig.ts');
  return ofContext(await readKubeconfig(paths, context), clock);
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
