import type { PatchOperation } from '../lib/json-patch.ts';
import { destinationOf } from './agent-config.ts';
import { type AgentOptions, readAgentOptions } from './agent-options.ts';
import { Annotations, vaultAnnotations } from './annotations.ts';
import { gatewayAnnotation, gatewayAnnotations } from './gateway-profile.ts';
import { parseGoBool } from './go-values.ts';
import { istioCaAnnotations, rootCaDirPatch, wantsIstioCa } from './istio-ca-profile.ts';
import { type OwnOptions, readOwnOptions } from './own-options.ts';
import { readAnnotations, readPod } from './pod.ts';
import { type Agents, buildAgents, podPatch } from './pod-patch.ts';
import { checkPolicy, type InjectionWish } from './policy.ts';
import type { ProjectedConfig } from './projected-config.ts';
import { refusal, stage } from './refusal.ts';
import type { InjectorSettings } from './settings.ts';
import { readTelemetry } from './telemetry.ts';

/** What happens to one pod. */
export type Injection =
  | { readonly kind: 'left-alone'; readonly why: string }
  | {
      readonly kind: 'injected';
      readonly patch: readonly PatchOperation[];
      readonly init: boolean;
      readonly sidecar: boolean;
      /** Shown by kubectl: what works but is probably not meant. */
      readonly warnings: readonly string[];
      /** To be written before the pod is admitted; absent: the configuration is in the pod. */
      readonly configMap?: ProjectedConfig;
    };

const systemNamespaces = new Set(['kube-system', 'kube-public']);
const leftAlone = (why: string): Injection => ({ kind: 'left-alone', why });

/**
 * Decides about a pod: a pure function of the pod, its namespace and the settings.
 * @throws MeshrootError `injection-refused` when the pod asks for injection and cannot have it
 */
export function inject(object: unknown, namespace: string, settings: InjectorSettings): Injection {
  const all = readAnnotations(object);
  const { asked, given, istioCa } = stage('error checking if should inject agent', () =>
    askedFor(all, settings),
  );
  if (!asked) return leftAlone('it does not ask for injection');
  const pod = readPod(object);
  if (pod.phase !== '' && pod.phase !== 'Pending') return leftAlone(`it is ${pod.phase}`);
  if (given.get('agent-inject-status') === 'injected') return leftAlone('it is injected already');
  if (systemNamespaces.has(namespace)) {
    stage('error with request namespace', () => {
      throw refusal(`cannot inject into system namespaces: ${namespace}`);
    });
  }
  const annotations = new Annotations(given, settings);
  const own = stage('error reading own annotations', () => readOwnOptions(all, settings));
  const options = readAgentOptions(pod, annotations, namespace, own);
  const [patch, agents] = stage('error creating patch for agent', () => {
    const built = buildAgents(pod, options, annotations, settings.vaultCaCertBytes);
    const rootCaDir = istioCa ? rootCaDirPatch(pod, annotations.text('secret-volume-path')) : [];
    return [[...rootCaDir, ...podPatch(pod, options, annotations, built)], built] as const;
  });
  const { policy } = settings;
  if (policy !== undefined) {
    stage('error checking policy', () =>
      checkPolicy(policy, wishOf(namespace, options, annotations, agents)),
    );
  }
  const warnings = [...warningsOf(options, annotations), ...ownWarnings(own, options, annotations)];
  const { projected } = agents;
  return {
    kind: 'injected',
    patch,
    init: options.prePopulate,
    sidecar: !options.prePopulateOnly,
    warnings,
    ...(projected === undefined ? {} : { configMap: projected }),
  };
}

/** Whether a pod asks for injection, and its Vault annotations: given, or stood for by one of ours. */
export interface Asked {
  readonly asked: boolean;
  readonly given: ReadonlyMap<string, string>;
  readonly istioCa: boolean;
}

export function askedFor(all: ReadonlyMap<string, string>, settings: InjectorSettings): Asked {
  const own = vaultAnnotations(all);
  const raw = own.get('agent-inject');
  if (wantsIstioCa(all) && (raw === undefined || parseGoBool(raw))) {
    return { asked: true, given: new Map([...istioCaAnnotations(all, settings), ...own]), istioCa: true };
  }
  if (all.has(gatewayAnnotation) && (raw === undefined || parseGoBool(raw))) {
    return { asked: true, given: new Map([...gatewayAnnotations(all, settings), ...own]), istioCa: false };
  }
  return { asked: raw !== undefined && parseGoBool(raw), given: own, istioCa: false };
}

function warningsOf(options: AgentOptions, annotations: Annotations): string[] {
  const destinations = options.secrets.map(destinationOf);
  const twice = new Set(destinations.filter((path, i) => destinations.indexOf(path) !== i));
  const { wrong } = readTelemetry(annotations);
  return [
    ...[...twice].map((path) => `two secrets are written to ${path}; the last one wins`),
    ...(options.prePopulateOnly && !options.prePopulate
      ? ['agent-pre-populate is false and agent-pre-populate-only is true: no agent is injected at all']
      : []),
    ...(wrong === undefined
      ? []
      : [`agent-telemetry-${wrong} has the wrong type: the whole telemetry stanza is dropped`]),
  ];
}

function ownWarnings(own: OwnOptions, options: AgentOptions, annotations: Annotations): string[] {
  const usersOwn = own.configMap === 'always' && annotations.text('agent-configmap') !== '';
  return [
    ...(usersOwn ? ['agent-configmap is given: the agents read that one, and config-map has no effect'] : []),
    ...sidecarWarnings(own, options, annotations),
  ];
}

function sidecarWarnings(own: OwnOptions, options: AgentOptions, annotations: Annotations): string[] {
  if (!own.nativeSidecar) return [];
  if (!options.nativeSidecar)
    return ['agent-pre-populate-only is true: the agent ends, and native-sidecar has no effect'];
  return annotations.text('agent-init-json-patch') === ''
    ? []
    : ['agent-init-json-patch has no effect on a native sidecar: write agent-json-patch'];
}

function wishOf(
  namespace: string,
  options: AgentOptions,
  annotations: Annotations,
  { initAgent, sidecar }: Agents,
): InjectionWish {
  const images = [initAgent, sidecar].flatMap((agent) => (agent === undefined ? [] : [agent.image]));
  return {
    namespace,
    store: annotations.text('service'),
    authPath: annotations.text('auth-path'),
    role: annotations.text('role') || (annotations.named('auth-config', 'role') ?? ''),
    images: images.map((image) => (typeof image === 'string' ? image : '')),
    configMap: annotations.text('agent-configmap'),
    patched: options.initPatch.length > 0 || options.sidecarPatch.length > 0,
    skipVerify: options.tlsSkipVerify,
  };
}
