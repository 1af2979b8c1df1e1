import { createHash } from 'node:crypto';
import { secretIn } from './config-secrets.ts';
import { refuseSecret } from './refusal.ts';
import type { Mount, NamedVolume } from './volume.ts';

/** What the agents of one pod are configured with, in a ConfigMap instead of the pod's environment. */
export interface ProjectedConfig {
  /** Made of the content: pods that want the same share one, and writing it twice changes nothing. */
  readonly name: string;
  /** JSON by file name. */
  readonly data: Readonly<Record<string, string>>;
}

/** One agent's part of it. */
export interface ConfigFile {
  readonly path: string;
  /** Hex, of the content. */
  readonly sha256: string;
}

/** Which configurations leave the environment: none, those above `largeConfig`, every one. */
export type ConfigMapUse = 'never' | 'large' | 'always';

/** Bytes of JSON of one agent. */
export const largeConfig = 32 * 1024;

/** On the pod, by which the sweep knows that the ConfigMap is in use. */
export const configMapAnnotation = 'meshroot.io/agent-config-map';

const volume = 'meshroot-agent-config';
const folder = '/vault/agent-config';
const fileName = (init: boolean): string => (init ? 'config-init.json' : 'config.json');
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What the agents of a pod are configured with, by whether it is the init agent. */
export type AgentConfigs = ReadonlyMap<boolean, Readonly<Record<string, unknown>>>;

/**
 * The ConfigMap for these configurations; undefined when they stay in the environment. Pure: nothing is written.
 * @throws a refusal when one holds what looks like a secret
 */
export function projectedConfig(configs: AgentConfigs, use: ConfigMapUse): ProjectedConfig | undefined {
  if (use === 'never' || configs.size === 0) return undefined;
  const texts = [...configs].map(([init, config]) => [fileName(init), JSON.stringify(config)] as const);
  if (use === 'large' && texts.every(([, text]) => Buffer.byteLength(text) <= largeConfig)) return undefined;
  for (const config of configs.values()) {
    const place = secretIn(config);
    if (place !== undefined) throw refuseSecret(place);
  }
  const data = Object.fromEntries(texts);
  return { name: `meshroot-agent-config-${sha256(JSON.stringify(data)).slice(0, 32)}`, data };
}

/** Where the init agent or the sidecar finds its configuration. */
export function configFile({ data }: ProjectedConfig, init: boolean): ConfigFile {
  const name = fileName(init);
  return { path: `${folder}/${name}`, sha256: sha256(data[name] ?? '') };
}

export function configFileVolume({ name, data }: ProjectedConfig): NamedVolume {
  const items = Object.keys(data).map((key) => ({ key, path: key }));
  return { name: volume, projected: { sources: [{ configMap: { name, items } }] } };
}

export const configFileMount: Mount = { name: volume, mountPath: folder, readOnly: true };
