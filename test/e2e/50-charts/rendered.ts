import { readdirSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../src/kube/api.ts';
import { helmTemplate } from '../../support/helm.ts';

/** Every set of values that the chart is tested with: charts/meshroot/ci. */
export const valueFiles: readonly string[] = readdirSync(
  new URL('../../../charts/meshroot/ci', import.meta.url),
).map((name) => `charts/meshroot/ci/${name}`);

/** The objects of a stream of YAML documents; a document that is not one is an error. */
export function objectsOf(yaml: string): KubeObject[] {
  return parseAllDocuments(yaml)
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as KubeObject | null;
    })
    .filter((object) => object !== null);
}

const rendered = new Map<string, Promise<string>>();

/** What helm makes of these values; asked for again it is not rendered again, and the objects are new ones. */
export async function render(
  values: string,
  namespace: string,
  set: readonly string[] = [],
): Promise<KubeObject[]> {
  const args = ['-f', values, ...set.flatMap((pair) => ['--set', pair])];
  const key = JSON.stringify([namespace, args]);
  const yaml = rendered.get(key) ?? helmTemplate('test', namespace, args);
  rendered.set(key, yaml);
  return objectsOf(await yaml);
}

/** The one object of this kind. */
export function theOnly(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return found[0]!;
}

/** A field of a field of a field; list elements by their number. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}
