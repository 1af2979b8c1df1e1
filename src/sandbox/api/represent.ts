import type { Accepted } from './accept.ts';
import { type Column, columnsOf } from './columns.ts';
import type { ApiObject, Fields } from './fields.ts';
import { groupVersionOf, type Kind, resourceOf } from './kinds.ts';

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** How objects of one kind are sent: as they are, as a Table, or as metadata only. */
export interface View {
  readonly accepted: Accepted;
  readonly kind: Kind;
  /** `Object`, `Metadata` (default) or `None`: what a table row carries. */
  readonly includeObject: string;
  readonly now: number;
}

export function representObject(object: ApiObject, view: View): Fields {
  if (view.accepted.as === 'Table') {
    return table([object], { resourceVersion: object.metadata.resourceVersion ?? '' }, view, true);
  }
  return view.accepted.as === 'PartialObjectMetadata' ? partial(object) : object;
}

export function representList(objects: readonly ApiObject[], metadata: ListMeta, view: View): Fields {
  if (view.accepted.as === 'Table') return table(objects, metadata, view, true);
  if (view.accepted.as === 'PartialObjectMetadata') {
    return {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: objects.map(partial),
    };
  }
  // as a real API server's: items of a typed list carry no kind or apiVersion of their own
  const items = objects.map(({ kind: _, apiVersion: __, ...item }) => item);
  return { kind: `${view.kind.kind}List`, apiVersion: groupVersionOf(view.kind), metadata, items };
}

/** An object of a watch event; only the first table of a watch names its columns. */
export function representEvent(object: ApiObject, view: View, first: boolean): Fields {
  if (view.accepted.as !== 'Table') return representObject(object, view);
  return table([object], { resourceVersion: object.metadata.resourceVersion ?? '' }, view, first);
}

const partial = (object: ApiObject): Fields => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

function table(objects: readonly ApiObject[], metadata: ListMeta, view: View, head: boolean): Fields {
  const columns = columnsOf(resourceOf(view.kind));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${view.accepted.version}`,
    metadata,
    columnDefinitions: head ? columns.map(definition) : [],
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, view.now)),
      ...rowObject(object, view.includeObject),
    })),
  };
}

const definition = (column: Column): Fields => ({
  name: column.name,
  type: column.type,
  format: column.name === 'Name' ? 'name' : '',
  description: '',
  priority: column.priority,
});

function rowObject(object: ApiObject, include: string): Fields {
  if (include === 'None') return {};
  return { object: include === 'Object' ? object : partial(object) };
}
