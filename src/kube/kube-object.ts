import { isRecord } from '../lib/records.ts';
import type { KubeObject, ObjectType } from './api.ts';
import { KubeError } from './errors.ts';

/** Checks that `value` is an object of the API; `type` fills in what lists leave out of their items. */
export function asKubeObject(value: unknown, type?: ObjectType): KubeObject {
  if (isRecord(value) && isRecord(value.metadata)) {
    const apiVersion = value.apiVersion ?? type?.apiVersion;
    const kind = value.kind ?? type?.kind;
    if (typeof apiVersion === 'string' && typeof kind === 'string') {
      return { ...value, apiVersion, kind, metadata: { ...value.metadata, name: nameOf(value.metadata) } };
    }
  }
  throw new KubeError('kube-bad-answer', 'the API server answered something that is not a Kubernetes object');
}

/** Items of a list with the position it was read at. */
export function asKubeList(
  value: unknown,
  type: ObjectType,
): { items: KubeObject[]; resourceVersion: string; continueToken: string } {
  if (!isRecord(value) || !isRecord(value.metadata)) {
    throw new KubeError('kube-bad-answer', `the API server answered no list of ${type.kind}`);
  }
  const items = Array.isArray(value.items) ? value.items : [];
  return {
    items: items.map((item: unknown) => asKubeObject(item, type)),
    resourceVersion: textOf(value.metadata.resourceVersion),
    continueToken: textOf(value.metadata.continue),
  };
}

/** The field as a record, empty when it is absent or something else. */
export function recordOf(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reviews (TokenReview, …) have no name. */
function nameOf(metadata: Record<string, unknown>): string {
  return textOf(metadata.name);
}
