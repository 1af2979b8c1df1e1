import { isRecord } from '../lib/records.ts';
import { refusal } from './refusal.ts';

/** What the injector reads of a pod; everything else stays untouched because only a patch is sent back. */
export interface Pod {
  readonly name: string;
  readonly phase: string;
  readonly volumes: readonly Volume[];
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly shareProcessNamespace: boolean | undefined;
}

export interface Volume {
  readonly name: string;
  /** Path of the first service account token source, when this is a projected volume that has one. */
  readonly tokenPath: string | undefined;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface Container {
  readonly name: string;
  readonly volumeMounts: readonly VolumeMount[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly hasSecurityContext: boolean;
  readonly runAsUser: number | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** The annotations of an admitted object. Checked by hand: this runs for every pod of the cluster. */
export function readAnnotations(object: unknown): Map<string, string> {
  if (object === undefined || object === null) throw refusal('unexpected end of JSON input'); // as upstream: no object
  const metadata = member(asObject(object, 'the pod'), 'metadata', 'metadata');
  const annotations = member(metadata, 'annotations', 'metadata.annotations');
  const read = new Map<string, string>();
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') throw wrong(`metadata.annotations["${key}"]`, 'a string');
    read.set(key, value);
  }
  return read;
}

/** @throws a refusal that names the path of what has the wrong type */
export function readPod(object: unknown): Pod {
  const pod = asObject(object, 'the pod');
  const spec = member(pod, 'spec', 'spec');
  return {
    name: text(member(pod, 'metadata', 'metadata').name, 'metadata.name'),
    phase: text(member(pod, 'status', 'status').phase, 'status.phase'),
    volumes: list(spec.volumes, 'spec.volumes', readVolume),
    containers: list(spec.containers, 'spec.containers', readContainer),
    initContainers: list(spec.initContainers, 'spec.initContainers', readContainer),
    shareProcessNamespace: optionalBoolean(spec.shareProcessNamespace, 'spec.shareProcessNamespace'),
  };
}

function readVolume(volume: Json, path: string): Volume {
  const projected = member(volume, 'projected', `${path}.projected`);
  const tokens = list(projected.sources, `${path}.projected.sources`, (source, at) =>
    text(
      member(source, 'serviceAccountToken', `${at}.serviceAccountToken`).path,
      `${at}.serviceAccountToken.path`,
    ),
  );
  return { name: text(volume.name, `${path}.name`), tokenPath: tokens.find((token) => token !== '') };
}

function readContainer(container: Json, path: string): Container {
  const security = member(container, 'securityContext', `${path}.securityContext`);
  return {
    name: text(container.name, `${path}.name`),
    volumeMounts: list(container.volumeMounts, `${path}.volumeMounts`, readMount),
    env: list(container.env, `${path}.env`, (env, at) => ({
      name: text(env.name, `${at}.name`),
      value: text(env.value, `${at}.value`),
    })),
    hasSecurityContext: container.securityContext !== undefined && container.securityContext !== null,
    runAsUser: optionalNumber(security.runAsUser, `${path}.securityContext.runAsUser`),
  };
}

function readMount(mount: Json, path: string): VolumeMount {
  return {
    name: text(mount.name, `${path}.name`),
    mountPath: text(mount.mountPath, `${path}.mountPath`),
    raw: mount,
  };
}

function list<T>(value: unknown, path: string, read: (item: Json, path: string) => T): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(path, 'a list');
  return value.map((item: unknown, i) => read(asObject(item, `${path}[${i}]`), `${path}[${i}]`));
}

const nothing: Json = {};

function member(object: Json, key: string, path: string): Json {
  const value = object[key];
  return value === undefined || value === null ? nothing : asObject(value, path);
}

function asObject(value: unknown, path: string): Json {
  if (!isRecord(value)) throw wrong(path, 'an object');
  return value;
}

function text(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw wrong(path, 'a string');
  return value;
}

function optionalBoolean(value: unknown, path: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrong(path, 'true or false');
  return value;
}

function optionalNumber(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw wrong(path, 'a number');
  return value;
}

function wrong(path: string, expected: string): Error {
  return refusal(`json: cannot read the pod: ${path} is not ${expected}`);
}
