import { applyPatch, parsePatch } from '../../src/lib/json-patch.ts';

/** What an injector decided, in a form in which two of them can be compared. */
export type Outcome =
  | { readonly allowed: false; readonly message: string }
  | { readonly allowed: true; readonly pod: unknown }
  /** The pod as it was. */
  | { readonly allowed: true; readonly unchanged: true };

type Json = Record<string, unknown>;

/** Reads the answer of an injector about `pod`: applies its patch and normalises what may differ without a meaning. */
export function outcomeOf(pod: unknown, answer: unknown): Outcome {
  const { response } = record(answer);
  const { allowed, status, patch } = record(response);
  if (allowed !== true) return { allowed: false, message: text(record(status).message) };
  if (patch === undefined) return { allowed: true, unchanged: true };
  const operations = parsePatch(JSON.parse(Buffer.from(text(patch), 'base64').toString()));
  return { allowed: true, pod: normalPod(applyPatch(pod, operations)) };
}

/**
 * Order of templates, of custom volumes and of environment from a map is random upstream; `exec` in front of the agent
 * and `resources: {}` on untouched init containers are differences on purpose (docs/injector-differences.md).
 */
function normalPod(pod: unknown): unknown {
  const { spec, ...rest } = record(pod);
  const { volumes, containers, initContainers, ...others } = record(spec);
  const names = customNames(list(containers));
  const normal = (items: unknown): unknown[] => list(items).map((item) => normalContainer(item, names));
  return {
    ...rest,
    spec: {
      ...others,
      volumes: sorted(list(volumes).map((volume) => renamed(volume, names))),
      containers: normal(containers),
      initContainers: normal(initContainers),
    },
  };
}

/** vault-secrets-custom-N by mount path: N is random upstream. */
function customNames(containers: readonly unknown[]): Map<string, string> {
  const mounts = containers.flatMap((container) => list(record(container).volumeMounts)).map(record);
  return new Map(
    mounts
      .filter(({ name }) => text(name).startsWith('vault-secrets-custom-'))
      .map(({ name, mountPath }) => [text(name), `custom at ${text(mountPath)}`]),
  );
}

function renamed(named: unknown, names: ReadonlyMap<string, string>): Json {
  const object = record(named);
  return { ...object, name: names.get(text(object.name)) ?? object.name };
}

function normalContainer(input: unknown, names: ReadonlyMap<string, string>): unknown {
  const { resources, lifecycle, volumeMounts, env, args, ...rest } = record(input);
  return {
    ...rest,
    ...(isEmpty(resources) ? {} : { resources }),
    ...(isEmpty(lifecycle) ? {} : { lifecycle }),
    ...(args === undefined
      ? {}
      : { args: list(args).map((arg) => text(arg).replace('&& exec vault', '&& vault')) }),
    volumeMounts: mountsInOrder(list(volumeMounts).map((mount) => renamed(mount, names))),
    env: environment(list(env)),
  };
}

function mountsInOrder(mounts: readonly Json[]): unknown[] {
  const isCustom = (mount: Json): boolean => text(mount.name).startsWith('custom at ');
  const custom = sorted(mounts.filter(isCustom));
  const at = mounts.findIndex(isCustom);
  const others = mounts.filter((mount) => !isCustom(mount));
  return at === -1 ? others : [...others.slice(0, at), ...custom, ...others.slice(at)];
}

function environment(env: readonly unknown[]): unknown[] {
  const decoded = env.map((variable) => {
    const { name, value, ...rest } = record(variable);
    if (name !== 'VAULT_CONFIG') return { name, ...(value === undefined ? {} : { value }), ...rest };
    return { name, config: normalConfig(JSON.parse(Buffer.from(text(value), 'base64').toString())) };
  });
  const isAws = (variable: { name: unknown }): boolean => text(variable.name).startsWith('AWS_');
  return [...decoded.filter((v) => !isAws(v)), ...sorted(decoded.filter(isAws))];
}

function normalConfig(config: unknown): unknown {
  const { template, ...rest } = record(config);
  return template === undefined ? rest : { ...rest, template: sorted(list(template)) };
}

/** By the text of the whole, keys in order. */
function sorted(items: readonly unknown[]): unknown[] {
  return items
    .map((item) => [canonical(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function isEmpty(value: unknown): boolean {
  return value === undefined || Object.keys(record(value)).length === 0;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
