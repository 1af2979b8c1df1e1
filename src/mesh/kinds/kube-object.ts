import type { KubeApi, KubeObject, ObjectRef } from '../../kube/api.ts';
import { codeOf, MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { decideByLines, type Resource } from '../resource.ts';
import { othersIn } from './namespace-guests.ts';

/** Marks what meshroot made, as Kubernetes recommends (kubernetes.io/docs: recommended labels). */
export const ownerLabel = { 'app.kubernetes.io/managed-by': 'meshroot' } as const;

/** An object of a cluster. What it wants must be there; what else is there (defaults, other writers' fields) stays. */
export function kubeObjectResource(cluster: string, object: KubeObject): Resource<KubeObject | undefined> {
  const wanted = {
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...ownerLabel } },
  };
  const { kind, metadata } = wanted;
  const label = `${kind.toLowerCase()} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
  const ref = { apiVersion: object.apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
  return {
    group: cluster,
    label,
    summary: '',
    observe: async (reach) => (await reach.kube(cluster)).get(ref),
    decide: (found, { adopt }) => {
      const differences = found === undefined ? [] : missingParts(object, found);
      if (found !== undefined && differences.length > 0 && !isOurs(found) && !adopt) {
        const error = new MeshrootError(
          'not-ours',
          `${label} on ${cluster} exists and was not made by meshroot`,
          {
            hint: 'compare them, then take it over with: meshroot apply --adopt',
            exit: 1,
          },
        );
        return { kind: 'refuse', error };
      }
      return decideByLines(found !== undefined, differences);
    },
    write: async (reach, found) => {
      const kube = await reach.kube(cluster);
      if (found === undefined) await createUnlessSame(kube, wanted, ref);
      else await kube.patch(ref, isOurs(found) ? wanted : object, 'merge'); // what is adopted stays another's
    },
    undo: {
      exists: (found) => found !== undefined,
      made: (found) => found !== undefined && isOurs(found),
      remove: async (reach) => {
        const kube = await reach.kube(cluster);
        const guests = kind === 'Namespace' ? await othersIn(kube, metadata.name) : [];
        if (guests.length > 0) return `others have things in it: ${guests.slice(0, 3).join(', ')}`;
        await kube.delete(ref, { propagationPolicy: 'Background' });
        return undefined;
      },
    },
  };
}

/** Another apply may have been faster by a moment: what it made is as good, when it is the same. */
async function createUnlessSame(kube: KubeApi, wanted: KubeObject, ref: ObjectRef): Promise<void> {
  try {
    await kube.create(wanted);
  } catch (error) {
    if (codeOf(error) !== 'kube-already-exists') throw error;
    if (missingParts(wanted, await kube.get(ref)).length > 0) throw error;
  }
}

export function isOurs(object: KubeObject): boolean {
  return object.metadata.labels?.['app.kubernetes.io/managed-by'] === 'meshroot';
}

/** Paths at which `found` does not have what `wanted` asks for; lists must be of the same length. */
export function missingParts(wanted: unknown, found: unknown, path = ''): string[] {
  if (isRecord(wanted)) {
    return Object.entries(wanted).flatMap(([key, value]) =>
      missingParts(value, isRecord(found) ? found[key] : undefined, path === '' ? key : `${path}.${key}`),
    );
  }
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    return wanted.flatMap((value, i) => missingParts(value, found[i], `${path}[${i}]`));
  }
  return JSON.stringify(wanted) === JSON.stringify(found) ? [] : [`~ ${path}`];
}
