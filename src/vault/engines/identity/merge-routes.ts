import type { Context, Route } from '../../core/backend.ts';
import { listOf, textOf } from '../../core/fields.ts';
import { groupsOf, putGroup, readGroup } from '../../core/group-store.ts';
import { type Alias, type Entity, noteMerged, putEntity, readEntity } from '../../core/identity-store.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { removeEntity } from './entity-routes.ts';

/** Several entities turn out to be one: aliases and groups go to it, policies and metadata do not. */
export const mergeRoutes = (): Route[] => [
  {
    path: 'entity/merge',
    fields: {
      from_entity_ids: 'list',
      to_entity_id: 'string',
      conflicting_alias_ids_to_keep: 'list',
      force: 'bool', // about secrets of MFA, which there are none
    },
    operations: { update: merge },
  },
];

function merge(context: Context): Result | undefined {
  const { fields, transaction, clock } = context;
  const toId = textOf(fields, 'to_entity_id');
  const fromIds = [...new Set(listOf(fields, 'from_entity_ids'))];
  if (toId === '') throw refuse('missing entity id to merge to');
  if (fromIds.length === 0) throw refuse('missing entity ids to merge from');
  const to = readEntity(transaction, toId);
  if (to === undefined) throw refuse('entity id to merge to is invalid');
  const kept = listOf(fields, 'conflicting_alias_ids_to_keep');
  const from = sourcesOf(context, to, fromIds, kept);
  const groups = from.flatMap((entity) => groupsOf(transaction, entity).direct);
  for (const entity of from) removeEntity(transaction, entity);
  const merged: Entity = {
    ...to,
    aliases: from.reduce((aliases, entity) => joined(aliases, entity, kept), to.aliases),
    mergedIds: [...(to.mergedIds ?? []), ...from.flatMap(({ id, mergedIds = [] }) => [...mergedIds, id])],
    updated: new Date(clock.now()).toISOString(),
  };
  putEntity(transaction, merged);
  noteMerged(transaction, merged);
  for (const { id } of groups) joinGroup(context, id, toId);
  return undefined;
}

/** The entities that go, all of them there and free of clashes that nobody has decided. @throws Refusal 400 */
function sourcesOf(
  { transaction }: Context,
  to: Entity,
  ids: readonly string[],
  kept: readonly string[],
): Entity[] {
  if (ids.length > 1 && kept.length > 1) {
    throw refuse(
      'aliases conflicts cannot be resolved with multiple from entity ids - merge one entity at a time',
    );
  }
  const from = ids.map((id) => {
    if (id === to.id) throw refuse('to_entity_id should not be present in from_entity_ids');
    const entity = readEntity(transaction, id);
    if (entity === undefined) throw refuse('entity id to merge from is invalid');
    return entity;
  });
  if (kept.length === 0) refuseClashes(to, from);
  return from;
}

function refuseClashes(to: Entity, from: readonly Entity[]): void {
  const holders = new Map<string, string>();
  for (const { id, aliases } of from) {
    for (const { mountAccessor } of to.aliases.length === 0 ? [] : aliases) {
      const other = holders.get(mountAccessor);
      if (other !== undefined && other !== id) {
        throw refuse(
          `mount accessor ${mountAccessor} found in multiple fromEntities, merge should be done with one fromEntity at a time`,
        );
      }
      holders.set(mountAccessor, id);
    }
  }
  const clashes = from.flatMap(({ id, aliases }) =>
    to.aliases.flatMap((mine) =>
      aliases
        .filter((alias) => alias.mountAccessor === mine.mountAccessor)
        .map(
          (alias) =>
            `mountAccessor: ${mine.mountAccessor}, toEntity ID: ${to.id}, fromEntity ID: ${id}, conflicting toEntity alias ID: ${mine.id}, conflicting fromEntity alias ID: ${alias.id}`,
        ),
    ),
  );
  if (clashes.length === 0) return;
  const all = [
    'toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request specifying exactly one fromEntity, clashes: ',
    ...clashes,
  ];
  throw refuse(`${all.length} errors occurred:\n${all.map((text) => `\t* ${text}\n`).join('')}\n`);
}

/** Of two aliases of one mount the caller has said which stays: templates would not know which to take. */
function joined(aliases: readonly Alias[], from: Entity, kept: readonly string[]): readonly Alias[] {
  let result = aliases;
  for (const alias of from.aliases) {
    const mine = result.find((one) => one.mountAccessor === alias.mountAccessor);
    if (mine !== undefined && kept.includes(mine.id)) continue;
    if (mine !== undefined && !kept.includes(alias.id)) {
      throw refuse(
        `conflicting mount accessors in following alias IDs and neither were present in conflicting_alias_ids_to_keep: ${alias.id}, ${mine.id}`,
      );
    }
    const moved = { ...alias, mergedFrom: [...(alias.mergedFrom ?? []), from.id] };
    result = [...result.filter((one) => one !== mine), moved];
  }
  return result;
}

/** Read anew: an entity that goes has left it. */
function joinGroup({ transaction }: Context, id: string, member: string): void {
  const group = readGroup(transaction, id);
  if (group === undefined || group.memberEntityIds.includes(member)) return;
  putGroup(transaction, { ...group, memberEntityIds: [...group.memberEntityIds, member] });
}
