import type { KubeApi, ObjectType } from '../../kube/api.ts';
import { isRecord } from '../../lib/records.ts';
import { bundleKvPath } from '../../mesh/names.ts';
import { readBundle } from '../../rotation/kv-bundle.ts';
import { type RunningSystem, vaultOf } from '../system.ts';
import { must, type SystemCheck } from './check.ts';

/** Dumps every object of every kind of every cluster and looks for the CA keys, and for any private key at all. */
export const noKeyInKubernetes: SystemCheck = {
  name: 'no-ca-key-in-kubernetes',
  run: async (system) => {
    const marks = await keyMarks(system);
    const counts = await Promise.all(
      system.clusters.map(({ name, kube }) => searchCluster(name, kube, marks)),
    );
    return `${counts.reduce((a, b) => a + b, 0)} objects searched, no private key in any`;
  },
};

/** Lines of the CA keys' base64 bodies; what is encoded once more is decoded before it is searched. */
async function keyMarks(system: RunningSystem): Promise<string[]> {
  const marks: string[] = [];
  for (const { name } of system.clusters) {
    const bundle = await readBundle(vaultOf(system), bundleKvPath({ name }));
    must(bundle !== undefined, `Vault holds no bundle of ${name}`);
    const lines = bundle.caKey
      .reveal()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('-----'));
    marks.push(...lines.filter((line) => line.length >= 24));
  }
  return marks;
}

async function searchCluster(cluster: string, kube: KubeApi, marks: readonly string[]): Promise<number> {
  let count = 0;
  for (const type of await listableTypes(kube)) {
    for (const object of await kube.list(type)) {
      count++;
      const where = `${type.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name} of ${cluster}`;
      for (const text of readings(object)) {
        must(!marks.some((mark) => text.includes(mark)), `${where} holds a CA key`);
        must(!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text), `${where} holds a private key`);
      }
    }
  }
  must(count > 0, `${cluster} has no objects at all`);
  return count;
}

/** An object as text, and every string of it decoded as far as base64 goes (Secrets, configurations in annotations). */
function readings(object: unknown): string[] {
  const found = [JSON.stringify(object)];
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'string' && value.length >= 24 && depth < 4 && /^[A-Za-z0-9+/=_\s-]+$/.test(value)) {
      const decoded = Buffer.from(value, 'base64').toString('latin1');
      found.push(decoded);
      visit(decoded, depth + 1);
    } else if (Array.isArray(value)) for (const item of value) visit(item, depth);
    else if (isRecord(value)) for (const item of Object.values(value)) visit(item, depth);
  };
  visit(object, 0);
  return found;
}

/** Every kind that the API server can list, by its own discovery. */
async function listableTypes(kube: KubeApi): Promise<ObjectType[]> {
  const groups = await kube.request('GET', '/apis');
  const versions = [{ path: '/api/v1', apiVersion: 'v1' }];
  for (const group of recordsOf(groups, 'groups')) {
    const preferred = isRecord(group.preferredVersion)
      ? String(group.preferredVersion.groupVersion)
      : undefined;
    if (preferred !== undefined) versions.push({ path: `/apis/${preferred}`, apiVersion: preferred });
  }
  const lists = await Promise.all(
    versions.map(async ({ path, apiVersion }) => ({
      apiVersion,
      resources: recordsOf(await kube.request('GET', path), 'resources'),
    })),
  );
  return lists.flatMap(({ apiVersion, resources }) =>
    resources
      .filter(
        ({ name, verbs }) => !String(name).includes('/') && Array.isArray(verbs) && verbs.includes('list'),
      )
      .map(({ kind }) => ({ apiVersion, kind: String(kind) })),
  );
}

function recordsOf(value: unknown, key: string): Record<string, unknown>[] {
  const list = isRecord(value) ? value[key] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
