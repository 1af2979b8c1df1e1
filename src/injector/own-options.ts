import { parseGoBool, quote } from './go-values.ts';
import type { ConfigMapUse } from './projected-config.ts';
import { canonicalQuantity } from './quantity.ts';
import { refusal } from './refusal.ts';
import type { InjectorSettings } from './settings.ts';

/** Annotations that vault-k8s does not know; the `-cluster`, `-native-sidecar` … of the injector are their defaults. */
export const ownPrefix = 'meshroot.io/';

/** Every annotation under `meshroot.io/`, by its name behind the slash. */
export const ownAnnotationFacts = {
  'istio-ca': 'the four files of istiod as one verified set, in the place of the ten annotations of Vault',
  cluster: "the cluster's name in Vault, for istio-ca",
  'gateway-certs': 'path in Vault of the certificate, key and CA of a gateway: tls.crt, tls.key, ca.crt',
  'native-sidecar': 'one agent that starts before the containers, is waited for, and ends after them',
  'seccomp-profile': 'of the agents: RuntimeDefault, Unconfined or Localhost/FILE',
  'config-map': 'true: the configuration of the agents is a ConfigMap, whatever its size; false: never',
  'agent-config-map': 'written by the injector: the ConfigMap with the configuration of the agents',
  'tmpfs-size-limit': 'most bytes of each volume in memory, e.g. 1Mi',
} as const;

export type OwnAnnotation = keyof typeof ownAnnotationFacts;

/** What our own annotations of one pod decide, over the defaults of the injector. */
export interface OwnOptions {
  readonly nativeSidecar: boolean;
  readonly seccompProfile: Readonly<Record<string, string>> | undefined;
  /** Canonical quantity; empty for no limit. */
  readonly tmpfsSizeLimit: string;
  /** Where the configuration of the agents goes. */
  readonly configMap: ConfigMapUse;
}

/** @throws a refusal that names the annotation */
export function readOwnOptions(all: ReadonlyMap<string, string>, settings: InjectorSettings): OwnOptions {
  if (!hasOwn(all)) return defaultsOf(settings);
  return readGiven(all, settings);
}

function hasOwn(all: ReadonlyMap<string, string>): boolean {
  for (const name of all.keys()) if (name.startsWith(ownPrefix)) return true;
  return false;
}

const known = new WeakMap<InjectorSettings, OwnOptions>();

/** Nearly all pods: read once. */
function defaultsOf(settings: InjectorSettings): OwnOptions {
  let defaults = known.get(settings);
  if (defaults === undefined) {
    defaults = readGiven(new Map(), settings);
    known.set(settings, defaults);
  }
  return defaults;
}

function readGiven(all: ReadonlyMap<string, string>, settings: InjectorSettings): OwnOptions {
  const read = <T>(name: OwnAnnotation, fallback: string, parse: (text: string) => T): T => {
    try {
      return parse(all.get(ownPrefix + name) ?? fallback);
    } catch (error) {
      throw refusal(`${ownPrefix}${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return {
    nativeSidecar: read('native-sidecar', `${settings.nativeSidecar}`, parseGoBool),
    seccompProfile: read('seccomp-profile', settings.seccompProfile, seccompProfile),
    tmpfsSizeLimit: read('tmpfs-size-limit', settings.tmpfsSizeLimit, sizeLimit),
    configMap: read('config-map', '', (text) => configMapUse(text, settings)),
  };
}

function configMapUse(text: string, { configMaps }: InjectorSettings): ConfigMapUse {
  if (text === '') return configMaps ? 'large' : 'never';
  if (!parseGoBool(text)) return 'never';
  if (configMaps) return 'always';
  throw refusal('this injector writes no ConfigMaps: it was not started with -config-maps');
}

/** A SeccompProfile as the Kubernetes API has it. */
export function seccompProfile(text: string): Readonly<Record<string, string>> | undefined {
  if (text === '') return undefined;
  if (text === 'RuntimeDefault' || text === 'Unconfined') return { type: text };
  const [, file] = /^Localhost\/(.+)$/.exec(text) ?? [];
  if (file !== undefined && !file.startsWith('/') && !file.split('/').includes('..')) {
    return { type: 'Localhost', localhostProfile: file };
  }
  throw refusal(`${quote(text)} is no seccomp profile: write RuntimeDefault, Unconfined or Localhost/FILE`);
}

function sizeLimit(text: string): string {
  if (text === '') return '';
  const canonical = canonicalQuantity(text);
  if (/^(-|0$)/.test(canonical)) throw refusal(`${quote(text)} is no size: write for example 1Mi`);
  return canonical;
}
