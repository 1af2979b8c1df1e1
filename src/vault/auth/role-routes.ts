import type { Context, Handler, RoleTtls, Route } from '../core/backend.ts';
import { type Fields, type Schema, textOf } from '../core/fields.ts';
import type { RoleTokens } from '../core/role-fields.ts';
import type { NamedEntries } from './named-entries.ts';

/** How what an auth method keeps by name is read and written. */
export interface RoleTable<R> {
  /** `role/:name`: its last part is the field with the name. */
  readonly path: string;
  readonly schema: Schema;
  readonly entries: Omit<NamedEntries<R>, 'put'>;
  /** As people see one. */
  readonly fields: (role: R) => Fields;
  readonly write: Handler;
  /** The first write of a name needs `create`; otherwise each is an update. */
  readonly tellsNew: boolean;
}

/** Reading, writing and deleting one of them, and the list of all. */
export function roleRoutes<R>(table: RoleTable<R>): Route[] {
  const [folder = '', field = ''] = table.path.split('/:');
  const found = ({ store, fields }: Context): R | undefined =>
    table.entries.read(store, textOf(fields, field));
  const one: Route = {
    path: table.path,
    fields: table.schema,
    operations: {
      read: (context) => {
        const role = found(context);
        return role === undefined ? undefined : { data: table.fields(role) };
      },
      update: table.write,
      delete: ({ store, fields }) => {
        table.entries.remove(store, textOf(fields, field));
        return undefined;
      },
    },
  };
  const exists = { exists: (context: Context): boolean => found(context) !== undefined };
  return [table.tellsNew ? { ...one, ...exists } : one, listRoute(folder, table.entries)];
}

export const listRoute = (path: string, entries: Pick<NamedEntries<unknown>, 'names'>): Route => ({
  path,
  operations: {
    list: ({ store }) => {
      const keys = entries.names(store);
      return keys.length === 0 ? undefined : { data: { keys } };
    },
  },
});

/** How long a token of the role may live as the role is now. */
export const ttlsOf = ({ ttl, maxTtl, period }: RoleTokens): RoleTtls => ({ ttl, maxTtl, period });
