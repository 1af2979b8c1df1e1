import { isAbsolute, join } from 'node:path';
import type { Mesh } from './schema.ts';

/** Relative file names of a mesh.yaml count from its folder, wherever the command is run. */
export function resolveFiles(mesh: Mesh, folder: string): Mesh {
  const from = (file: string) => (isAbsolute(file) ? file : join(folder, file));
  const { import: files, offline } = mesh.root;
  return {
    ...mesh,
    vault: all(mesh.vault, ['caCert', 'clientCert', 'clientKey'], from),
    root: {
      ...mesh.root,
      ...(files && { import: all(files, ['cert', 'key'], from) }),
      ...(offline && { offline: all(offline, ['cert', 'folder'], from) }),
    },
    clusters: mesh.clusters.map((cluster) => ({
      ...all(cluster, ['kubeconfig'], from),
      intermediate: {
        ...cluster.intermediate,
        ...(cluster.intermediate.import && { import: all(cluster.intermediate.import, ['folder'], from) }),
      },
      ...(cluster.vault && { vault: all(cluster.vault, ['caCert', 'clientCert', 'clientKey'], from) }),
      gateways: cluster.gateways.map((gateway) =>
        gateway.files === undefined
          ? gateway
          : { ...gateway, files: all(gateway.files, ['cert', 'key', 'ca'], from) },
      ),
    })),
  };
}

/** `object` with the named fields, where they are there, put through `change`. */
function all<T extends object>(object: T, fields: readonly (keyof T)[], change: (text: string) => string): T {
  const changed = fields.flatMap((field) => {
    const value = object[field];
    return typeof value === 'string' ? [[field, change(value)]] : [];
  });
  return { ...object, ...Object.fromEntries(changed) };
}
