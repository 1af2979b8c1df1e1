import { isDeepStrictEqual } from 'node:util';
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
import type { MountEntry } from '../../core/mount-entry.ts';
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

/** What an alias is to be. */
interface Wanted {
  readonly name: string;
  readonly accessor: string;
  readonly custom: Readonly<Record<string, string>>;
  /** Of the entity that is to have it; empty when nobody said. */
  readonly ownerId: string;
}

function write(context: Context): Result | undefined {
  const { fields, transaction } = context;
  const [id, name, accessor] = [
    textOf(fields, 'id'),
    textOf(fields, 'name'),
    textOf(fields, 'mount_accessor'),
  ];
  const ownerId = textOf(fields, 'canonical_id') || textOf(fields, 'entity_id');
  const custom = fields.custom_metadata as Record<string, string> | undefined;
  if (id !== '') {
    const known = find(context, id);
    if (known === undefined) throw refuse('invalid alias ID provided');
    const { alias } = known;
    return change(context, known, {
      name: name || alias.name,
      accessor: accessor || alias.mountAccessor,
      custom: custom ?? alias.customMetadata,
      ownerId,
    });
  }
  if (name === '' || accessor === '') {
    throw refuse("'id' or 'mount_accessor' and 'name' must be provided");
  }
  const mount = mountOf(context, accessor);
  const wanted: Wanted = { name, accessor, custom: custom ?? {}, ownerId };
  const entity = entityByAlias(transaction, accessor, name);
  const alias = entity?.aliases.find((one) => one.mountAccessor === accessor && one.name === name);
  return entity === undefined || alias === undefined
    ? create(context, mount, wanted)
    : change(context, { entity, alias }, wanted);
}

function mountOf({ services }: Context, accessor: string): MountEntry {
  const mount = services.router.all('auth').find(({ entry }) => entry.accessor === accessor)?.entry;
  if (mount === undefined) throw refuse(`invalid mount accessor ${JSON.stringify(accessor)}`);
  return mount;
}

/** An entity has one name per mount: templates would not know which to take. */
const hasOther = ({ aliases }: Entity, accessor: string): boolean =>
  aliases.some(({ mountAccessor }) => mountAccessor === accessor);

function create(context: Context, mount: MountEntry, { name, accessor, custom, ownerId }: Wanted): Result {
  const { transaction, random, clock } = context;
  const known = ownerId === '' ? undefined : readEntity(transaction, ownerId);
  if (ownerId !== '' && known === undefined) throw refuse('invalid canonical ID');
  const owner = known ?? newEntity({}, random, clock.now());
  if (hasOther(owner, accessor)) throw refuse('Alias already exists for requested entity and mount accessor');
  const alias = newAlias(mount, name, {}, custom, random, clock.now());
  put(context, owner, [...owner.aliases, alias]);
  return { data: { canonical_id: owner.id, id: alias.id } };
}

/** Nothing is said about a change that is none. */
function change(context: Context, { entity, alias }: Found, wanted: Wanted): Result | undefined {
  const { transaction, clock, random } = context;
  const { name, accessor, custom, ownerId } = wanted;
  const moves = ownerId !== '' && ownerId !== entity.id;
  const changes =
    name !== alias.name ||
    accessor !== alias.mountAccessor ||
    !isDeepStrictEqual({ ...custom }, { ...alias.customMetadata });
  if (!moves && !changes) return undefined;
  if (!moves && accessor !== alias.mountAccessor && hasOther(entity, accessor)) {
    throw refuse(
      "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ",
    );
  }
  const mount = mountOf(context, accessor);
  const twin = entityByAlias(transaction, accessor, name)?.aliases.find(
    (one) => one.mountAccessor === accessor && one.name === name,
  );
  if (twin !== undefined && twin.id !== alias.id)
    throw refuse('alias with combination of mount accessor and name already exists');
  const owner = moves ? newOwner(context, ownerId, accessor) : entity;
  const { id, created, metadata, mergedFrom = [] } = alias;
  const fresh = newAlias(mount, name, metadata, custom, random, clock.now());
  const changed = { ...fresh, id, created, ...(mergedFrom.length === 0 ? {} : { mergedFrom }) };
  if (moves) put(context, entity, without(entity, id));
  put(context, owner, [...without(owner, id), changed]);
  return { data: { canonical_id: owner.id, id } };
}

function newOwner({ transaction }: Context, id: string, accessor: string): Entity {
  const owner = readEntity(transaction, id);
  if (owner === undefined) throw refuse("given 'canonical_id' is not associated with an entity");
  if (hasOther(owner, accessor))
    throw refuse('Alias cannot be updated as the given entity already has an alias for this mount ');
  return owner;
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
