import type { Context, Route } from '../../core/backend.ts';
import { type Schema, textOf } from '../../core/fields.ts';
import {
  type Group,
  type GroupAlias,
  groupAliasIds,
  groupByAlias,
  groupByAliasId,
  putGroup,
  readGroup,
} from '../../core/group-store.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { uuidOf } from '../../core/uuid.ts';
import { newGroup } from './group-routes.ts';
import { groupAliasFields } from './view.ts';

const schema: Schema = { id: 'string', name: 'string', mount_accessor: 'string', canonical_id: 'string' };

/** The names under which auth mounts know external groups. */
export const groupAliasRoutes = (): Route[] => [
  { path: 'group-alias', fields: schema, operations: { update: write } },
  { path: 'group-alias/id', operations: { list } },
  {
    path: 'group-alias/id/:id',
    fields: schema,
    operations: {
      read: ({ transaction, fields }) => {
        const group = groupByAliasId(transaction, textOf(fields, 'id'));
        return group?.alias ? { data: groupAliasFields(group.alias, group.id) } : undefined;
      },
      update: write,
      delete: ({ transaction, fields }) => {
        const group = groupByAliasId(transaction, textOf(fields, 'id'));
        if (group !== undefined) putGroup(transaction, { ...group, alias: null, memberEntityIds: [] });
        return undefined;
      },
    },
  },
];

function write(context: Context): Result | undefined {
  const { fields, transaction, services, random, clock } = context;
  const id = textOf(fields, 'id');
  const holder = id === '' ? undefined : groupByAliasId(transaction, id);
  if (id !== '' && holder === undefined) throw refuse('invalid group alias ID');
  const [name, mountAccessor] = [textOf(fields, 'name'), textOf(fields, 'mount_accessor')];
  if (name === '') throw refuse('missing alias name');
  if (mountAccessor === '') throw refuse('missing mount_accessor');
  const wanted = target(context);
  const mount = services.router.all('auth').find(({ entry }) => entry.accessor === mountAccessor)?.entry;
  if (mount === undefined) throw refuse(`invalid mount accessor ${JSON.stringify(mountAccessor)}`);
  const other = groupByAlias(transaction, { mountAccessor, name });
  if (other !== undefined && other.alias?.id !== id) {
    throw refuse('combination of mount and group alias name is already in use');
  }
  const at = new Date(clock.now()).toISOString();
  const alias: GroupAlias = {
    id: holder?.alias?.id ?? uuidOf(random(16)),
    name,
    mountAccessor,
    mountPath: `auth/${mount.path}`,
    mountType: mount.type,
    created: holder?.alias?.created ?? at,
    updated: at,
  };
  const owner = wanted ?? holder ?? newGroup(context, { type: 'external' });
  // Who was a member under the old name need not be one under the new.
  if (holder !== undefined && holder.id !== owner.id) {
    putGroup(transaction, { ...holder, alias: null, memberEntityIds: [] });
  }
  putGroup(transaction, { ...owner, alias, memberEntityIds: [] });
  return { data: { canonical_id: owner.id, id: alias.id } };
}

function target({ fields, transaction }: Context): Group | undefined {
  const id = textOf(fields, 'canonical_id');
  if (id === '') return undefined;
  const group = readGroup(transaction, id);
  if (group === undefined) throw refuse("invalid group ID given in 'canonical_id'");
  if (group.type !== 'external') throw refuse("alias can't be set on an internal group");
  return group;
}

function list({ transaction }: Context): Result | undefined {
  const keys = groupAliasIds(transaction);
  if (keys.length === 0) return undefined;
  const info = keys.flatMap((id) => {
    const group = groupByAliasId(transaction, id);
    return group?.alias ? [[id, groupAliasFields(group.alias, group.id)] as const] : [];
  });
  return { data: { keys, key_info: Object.fromEntries(info) } };
}
