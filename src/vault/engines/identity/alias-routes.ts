import type { Context, Route } from '../../core/backend.ts';
import { type Schema, textOf } from '../../core/fields.ts';
import {
  type Alias,
  aliasIds,
  type Entity,
  entityByAlias,
  entityByAliasId,
  newAlias,
  newEntity,
  putEntity,
  readEntity,
} from '../../core/identity-store.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { aliasFields } from './view.ts';

const schema: Schema = {
  id: 'string',
  name: 'string',
  canonical_id: 'string',
  entity_id: 'string',
  mount_accessor: 'string',
  custom_metadata: 'texts',
};

/** The names under which auth mounts know entities. */
export const aliasRoutes = (): Route[] => [
  { path: 'entity-alias', fields: schema, operations: { update: write } },
  { path: 'entity-alias/id', operations: { list } },
  {
    path: 'entity-alias/id/:id',
    fields: schema,
    operations: {
      read: (context) => {
        const found = find(context, textOf(context.fields, 'id'));
        return found && { data: aliasFields(found.alias, found.entity.id) };
      },
      update: write,
      delete: (context) => {
        const found = find(context, textOf(context.fields, 'id'));
        if (found !== undefined) put(context, found.entity, without(found.entity, found.alias.id));
        return undefined;
      },
    },
  },
];

interface Found {
  readonly entity: Entity;
  readonly alias: Alias;
}

function find({ transaction }: Context, id: string): Found | undefined {
  const entity = entityByAliasId(transaction, id);
  const alias = entity?.aliases.find((one) => one.id === id);
  return entity === undefined || alias === undefined ? undefined : { entity, alias };
}

const without = ({ aliases }: Entity, id: string): Alias[] => aliases.filter((one) => one.id !== id);

function put({ transaction, clock }: Context, entity: Entity, aliases: readonly Alias[]): void {
  putEntity(transaction, { ...entity, aliases, updated: new Date(clock.now()).toISOString() });
}

function write(context: Context): Result {
  const { fields, transaction, services, clock } = context;
  const id = textOf(fields, 'id');
  const known = id === '' ? undefined : find(context, id);
  if (id !== '' && known === undefined) throw refuse('invalid alias ID provided');
  const name = textOf(fields, 'name', known?.alias.name);
  const accessor = textOf(fields, 'mount_accessor', known?.alias.mountAccessor);
  if (name === '' || accessor === '') {
    throw refuse("'id' or 'mount_accessor' and 'name' must be provided");
  }
  const mount = services.router.all('auth').find(({ entry }) => entry.accessor === accessor)?.entry;
  if (mount === undefined) throw refuse(`invalid mount accessor ${JSON.stringify(accessor)}`);
  const wanted = textOf(fields, 'canonical_id') || textOf(fields, 'entity_id');
  const target = wanted === '' ? undefined : readEntity(transaction, wanted);
  if (wanted !== '' && target === undefined) throw refuse('invalid canonical ID');
  const holder = known?.entity ?? entityByAlias(transaction, accessor, name);
  const before =
    known?.alias ?? holder?.aliases.find((one) => one.mountAccessor === accessor && one.name === name);
  const custom =
    (fields.custom_metadata as Record<string, string> | undefined) ?? before?.customMetadata ?? {};
  const fresh = newAlias(mount, name, {}, custom, context.random, clock.now());
  const alias: Alias =
    before === undefined
      ? fresh
      : { ...fresh, id: before.id, created: before.created, metadata: before.metadata };
  const owner = target ?? holder ?? newEntity({}, context.random, clock.now());
  checkOne(owner, alias);
  if (holder !== undefined && holder.id !== owner.id) put(context, holder, without(holder, alias.id));
  put(context, owner, [...without(owner, alias.id), alias]);
  return { data: { canonical_id: owner.id, id: alias.id } };
}

/** An entity has one name per mount: templates would not know which to take. */
function checkOne(owner: Entity, alias: Alias): void {
  const other = owner.aliases.find((one) => one.mountAccessor === alias.mountAccessor && one.id !== alias.id);
  if (other !== undefined) throw refuse('Entity already has an alias for the specified mount accessor');
}

function list(context: Context): Result | undefined {
  const keys = aliasIds(context.transaction);
  if (keys.length === 0) return undefined;
  const info = keys.flatMap((id) => {
    const found = find(context, id);
    return found === undefined ? [] : [[id, aliasFields(found.alias, found.entity.id)] as const];
  });
  return { data: { keys, key_info: Object.fromEntries(info) } };
}
