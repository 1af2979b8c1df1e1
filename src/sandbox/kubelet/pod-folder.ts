import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { codeOf, MeshrootError } from '../../lib/errors.ts';
import { commandFolders, type ImageProgram } from './images.ts';
import { PathMap, type PathMapping } from './path-map.ts';
import type { Container, Pod, VolumeMount } from './pod.ts';

/**
 * The folders of one pod, all 0700:
 * `volumes/<volume>/`, `containers/<name>/rootfs/` (its working directory), `containers/<name>/<restarts>.log`.
 * A memory-backed emptyDir is an ordinary folder here: without root nothing can be mounted, and /dev/shm would survive
 * a crash. The key material in it is as safe as the folder `up --dir` lies on.
 */
export class PodFolder {
  readonly path: string;

  constructor(root: string, pod: Pod) {
    this.path = join(root, 'pods', pod.metadata.uid);
  }

  volume(name: string): string {
    return join(this.path, 'volumes', name);
  }

  container(name: string): string {
    return join(this.path, 'containers', name);
  }

  rootfs(container: string): string {
    return join(this.container(container), 'rootfs');
  }

  async create(pod: Pod): Promise<void> {
    const volumes = (pod.spec.volumes ?? []).filter((volume) => !volume.hostPath);
    await Promise.all(volumes.map((volume) => makeFolder(this.volume(volume.name))));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Host path of a mount. @throws MeshrootError `bad-volume-path` */
  mountSource(pod: Pod, mount: VolumeMount): string {
    const volume = pod.spec.volumes?.find((candidate) => candidate.name === mount.name);
    const folder = volume?.hostPath ? volume.hostPath.path : this.volume(mount.name);
    if (!mount.subPath) return folder;
    const sub = normalize(mount.subPath);
    if (sub.startsWith('..') || sub.startsWith('/')) {
      throw new MeshrootError('bad-volume-path', `subPath "${mount.subPath}" leaves its volume`);
    }
    return join(folder, sub);
  }

  /** Makes the root folder of a container, with links where the volumes are mounted, so that relative paths work too. */
  async prepareContainer(pod: Pod, container: Container): Promise<void> {
    const rootfs = this.rootfs(container.name);
    await Promise.all(privateFolders.map((path) => makeFolder(join(rootfs, path))));
    for (const mount of byDepth(container.volumeMounts ?? [])) {
      const source = this.mountSource(pod, mount);
      const link = join(rootfs, normalize(`/${mount.mountPath}`));
      if (mount.subPath) await makeFolder(dirname(source));
      await makeFolder(dirname(link)).catch(() => {}); // a mount inside a mount: reached through the path map
      await symlink(source, link).catch((error: unknown) => {
        if (!['EEXIST', 'EACCES', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
      });
    }
  }
}

/** Paths that every image has and that must not be shared with the host. */
const privateFolders = ['/tmp', '/root', '/home'] as const;

/** How the container's paths are spelled on the host; `kept` are host paths that must stay as they are. */
export function pathMapOf(
  folder: PodFolder,
  pod: Pod,
  container: Container,
  program: ImageProgram,
  toolDir: string,
  kept: readonly string[],
): PathMap {
  const rootfs = folder.rootfs(container.name);
  const mappings: PathMapping[] = [
    ...(container.volumeMounts ?? []).map((mount) => ({
      inside: mount.mountPath,
      host: folder.mountSource(pod, mount),
    })),
    ...kept.map((path) => ({ inside: path, host: path })),
    ...Object.keys(program.tools).flatMap((tool) =>
      commandFolders.map((bin) => ({ inside: `${bin}/${tool}`, host: join(toolDir, tool) })),
    ),
    ...privateFolders.map((path) => ({ inside: path, host: join(rootfs, path) })),
  ];
  return new PathMap(mappings);
}

/** Outer mounts first. */
function byDepth(mounts: readonly VolumeMount[]): VolumeMount[] {
  return [...mounts].sort((a, b) => a.mountPath.length - b.mountPath.length);
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}
