import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processEnvironment, specEnvironment } from './container-env.ts';
import { expand } from './expand.ts';
import type { ImageProgram } from './images.ts';
import { serviceAccountMount, withServiceAccount } from './in-cluster-files.ts';
import { withMappedConfig } from './mapped-config-file.ts';
import type { NodeContext } from './node-context.ts';
import type { PathMap } from './path-map.ts';
import type { Container, Pod, VolumeMount } from './pod.ts';
import { type PodFolder, pathMapOf } from './pod-folder.ts';

/** Everything about one run of a container that is known before it starts; paths are the host's. */
export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** For further commands in the same surroundings (probes, hooks). */
  readonly paths: PathMap;
}

/**
 * Prepares a run: folders, environment, kubeconfig, command line.
 * @throws CreateContainerConfigError when the environment names something that is not there
 */
export async function prepareLaunch(
  node: NodeContext,
  folder: PodFolder,
  pod: Pod,
  container: Container,
  program: ImageProgram,
): Promise<Launch> {
  const values = await specEnvironment(pod, container, node.values);
  await folder.prepareContainer(pod, container);
  const toolDir = node.toolDir(program);
  const paths = pathMapOf(folder, pod, container, program, toolDir, [node.root, ...node.hostPaths]);
  const rootfs = folder.rootfs(container.name);
  const home = paths.path(program.home ?? '/root') ?? rootfs;
  const cwd = container.workingDir
    ? (paths.path(container.workingDir) ?? join(rootfs, container.workingDir))
    : rootfs;
  await Promise.all([home, cwd].map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  const env = processEnvironment(values, paths, {
    parent: node.parentEnv,
    toolDir,
    home,
    tmp: join(rootfs, 'tmp'),
    hostname: pod.metadata.name,
    apiServer: node.apiServer,
    kubeconfig: await writeKubeconfig(node, folder, pod, container),
  });
  const command = container.command?.length ? container.command : program.entrypoint;
  const copy = join(folder.container(container.name), 'agent-config.json');
  const argv = await Promise.all(
    [...command, ...(container.args ?? [])].map((word) =>
      withMappedConfig(paths.text(expand(word, values)), paths, copy),
    ),
  );
  return { argv: inNamespace(argv, program, folder, pod, container), env, cwd, paths };
}

function inNamespace(
  argv: readonly string[],
  { mountNamespace }: ImageProgram,
  folder: PodFolder,
  pod: Pod,
  container: Container,
): readonly string[] {
  const mount = serviceAccountOf(container);
  if (mountNamespace === undefined || mount === undefined) return argv;
  return withServiceAccount(mountNamespace, folder.mountSource(pod, mount), argv);
}

function serviceAccountOf(container: Container): VolumeMount | undefined {
  return container.volumeMounts?.find((m) => m.mountPath.replace(/\/$/, '') === serviceAccountMount);
}

/**
 * A kubeconfig of the pod's own service account: /var/run/secrets cannot be mounted without root.
 * The token is named, not copied, so that a refresh is seen. JSON, which every YAML reader takes.
 */
async function writeKubeconfig(
  node: NodeContext,
  folder: PodFolder,
  pod: Pod,
  container: Container,
): Promise<string | undefined> {
  const mount = serviceAccountOf(container);
  if (mount === undefined) return undefined;
  const { authority } = node.apiServer;
  const data = authority && Buffer.from(authority).toString('base64');
  const file = join(folder.container(container.name), 'kubeconfig');
  const user = { tokenFile: join(folder.mountSource(pod, mount), 'token') };
  const context = { cluster: 'cluster', user: 'pod', namespace: pod.metadata.namespace };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'pod',
    clusters: [
      {
        name: 'cluster',
        cluster: { server: node.kube.server, ...(data ? { 'certificate-authority-data': data } : {}) },
      },
    ],
    users: [{ name: 'pod', user }],
    contexts: [{ name: 'pod', context }],
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
