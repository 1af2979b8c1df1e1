import { type Fields, isFields } from './fields.ts';
import { badRequest } from './status-error.ts';

/**
 * Lists that merge by a key instead of being replaced, by field name: the `patchMergeKey` tags of k8s.io/api. The name
 * suffices, but for `ports`, which Services key differently.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  ports: 'containerPort',
  imagePullSecrets: 'name',
  secrets: 'name',
  hostAliases: 'ip',
  podIPs: 'ip',
  hostIPs: 'ip',
  conditions: 'type',
  addresses: 'type',
  ownerReferences: 'uid',
  topologySpreadConstraints: 'topologyKey',
  resourceClaims: 'name',
  webhooks: 'name',
};

/** Lists of plain values that are united. */
const mergedValues: ReadonlySet<string> = new Set(['finalizers', 'podCIDRs', 'loadBalancerSourceRanges']);

const elementOrder = '$setElementOrder/';
const deleteFrom = '$deleteFromPrimitiveList/';

/**
 * The object after a Kubernetes strategic merge patch with its directives: `$patch` (replace, delete, merge),
 * `$retainKeys`, `$setElementOrder/x` and `$deleteFromPrimitiveList/x`. The input is not changed.
 * @param kind of the whole object, since a Service's `ports` merge by `port`
 * @throws StatusError 400 for a list element without its merge key, or an unknown directive
 */
export function applyStrategicMerge(target: unknown, patch: unknown, kind: string): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  const directive = patch.$patch;
  if (directive === 'delete') return {};
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive !== undefined && directive !== 'merge') {
    throw badRequest(`Unknown patch type found: ${String(directive)}`);
  }
  const old = retained(isFields(target) ? target : {}, patch);
  const result = new Map(Object.entries(old));
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deleteFrom)) removeValues(result, key.slice(deleteFrom.length), value);
    if (key.startsWith('$')) continue;
    if (value === null) result.delete(key);
    else result.set(key, mergeField(key, result.get(key), value, kind));
  }
  for (const [key, order] of Object.entries(patch)) {
    if (key.startsWith(elementOrder)) sortField(result, key.slice(elementOrder.length), order, kind);
  }
  return Object.fromEntries(result);
}

function retained(target: Fields, patch: Fields): Fields {
  const keep = patch.$retainKeys;
  if (!Array.isArray(keep)) return target;
  return Object.fromEntries(Object.entries(target).filter(([key]) => keep.includes(key)));
}

const mergeKeyOf = (field: string, kind: string): string | undefined => {
  if (field === 'ports' && kind === 'Service') return 'port';
  return Object.hasOwn(mergeKeys, field) ? mergeKeys[field] : undefined;
};

function mergeField(field: string, old: unknown, value: unknown, kind: string): unknown {
  if (!Array.isArray(value)) return applyStrategicMerge(old, value, kind);
  const list: readonly unknown[] = Array.isArray(old) ? old : [];
  const key = mergeKeyOf(field, kind);
  if (key !== undefined && [...list, ...value].every(isFields)) {
    return mergeByKey(list as Fields[], value as Fields[], key, kind);
  }
  if (mergedValues.has(field)) return [...new Set([...list, ...value])];
  return structuredClone(value);
}

function mergeByKey(old: readonly Fields[], patch: readonly Fields[], key: string, kind: string): Fields[] {
  if (patch.some((item) => item.$patch === 'replace')) {
    return patch.filter((item) => item.$patch !== 'replace').map(withoutDirectives);
  }
  const result = [...old];
  for (const item of patch) {
    const id = item[key];
    if (id === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const at = result.findIndex((candidate) => candidate[key] === id);
    if (item.$patch === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at >= 0) result[at] = applyStrategicMerge(result[at], item, kind) as Fields;
    else result.push(applyStrategicMerge({}, item, kind) as Fields);
  }
  return result;
}

function withoutDirectives(value: Fields): Fields {
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('$'));
  return structuredClone(Object.fromEntries(kept));
}

function removeValues(result: Map<string, unknown>, field: string, values: unknown): void {
  const list = result.get(field);
  if (Array.isArray(list) && Array.isArray(values)) {
    result.set(
      field,
      list.filter((item) => !values.includes(item)),
    );
  }
}

/** Named elements come in the order of the directive; those it does not name stay behind the one they followed. */
function sortField(result: Map<string, unknown>, field: string, order: unknown, kind: string): void {
  const list = result.get(field);
  if (!Array.isArray(list) || !Array.isArray(order)) return;
  const key = mergeKeyOf(field, kind);
  const idOf = (item: unknown): unknown => (key !== undefined && isFields(item) ? item[key] : item);
  const wanted = order.map(idOf);
  let rank = -1;
  const ranked = list.map((item: unknown, i) => {
    const at = wanted.indexOf(idOf(item));
    if (at >= 0) rank = at;
    return { item, rank, named: at >= 0 ? 0 : 1, i };
  });
  ranked.sort((a, b) => a.rank - b.rank || a.named - b.named || a.i - b.i);
  result.set(
    field,
    ranked.map((entry) => entry.item),
  );
}
