import { messageOf } from '../lib/errors.ts';
import { type PatchOperation, parsePatch } from '../lib/json-patch.ts';
import { type Annotations, vaultPrefix } from './annotations.ts';
import { checkGoDuration, parseGoBool, quote } from './go-values.ts';
import type { OwnOptions } from './own-options.ts';
import type { Pod } from './pod.ts';
import { refusal, stage } from './refusal.ts';
import { readSecrets, type SecretFile } from './secrets.ts';
import { findTokenVolume, type TokenVolume } from './token-volume.ts';

/** Everything the annotations of one pod decide that needs parsing or checking; plain texts are read where used. */
export interface AgentOptions extends OwnOptions {
  readonly tokenVolume: TokenVolume;
  readonly secrets: readonly SecretFile[];
  readonly initFirst: boolean;
  readonly prePopulate: boolean;
  readonly prePopulateOnly: boolean;
  readonly revokeOnShutdown: boolean;
  readonly revokeGrace: number;
  readonly tlsSkipVerify: boolean;
  readonly runAsUser: number;
  readonly runAsGroup: number;
  /** Undefined: leave the pod's own. */
  readonly shareProcessNamespace: boolean | undefined;
  readonly setSecurityContext: boolean;
  readonly cacheEnable: boolean;
  readonly cacheExitOnErr: boolean;
  /** The sidecar takes over the cache of the init agent. */
  readonly cachePersist: boolean;
  readonly defaultTemplate: 'map' | 'json';
  readonly injectToken: boolean;
  readonly exitOnRetryFailure: boolean;
  readonly maxConnectionsPerHost: number;
  readonly leaseRenewalThreshold: number;
  readonly enableQuit: boolean;
  readonly autoAuthExitOnErr: boolean;
  /** Containers of the pod that get the secrets. */
  readonly containers: ReadonlySet<string>;
  readonly sidecarPatch: readonly PatchOperation[];
  readonly initPatch: readonly PatchOperation[];
}

/**
 * Reads and checks the annotations, in upstream's order: with two mistakes the same one is reported.
 * @param namespace of the admission request
 */
export function readAgentOptions(
  pod: Pod,
  annotations: Annotations,
  namespace: string,
  own: OwnOptions,
): AgentOptions {
  const patches = stage('error adding default annotations', () => checkDefaults(annotations, namespace));
  const options = stage('error creating new agent sidecar', () => readChecked(pod, annotations, own));
  stage('error validating agent configuration', () => validate(annotations, namespace));
  return { ...options, ...patches };
}

function checkDefaults(
  annotations: Annotations,
  namespace: string,
): Pick<AgentOptions, 'sidecarPatch' | 'initPatch'> {
  if (namespace === '') throw refusal('kubernetes namespace required');
  for (const side of ['min', 'max'] as const) {
    const backoff = annotations.has(`auth-${side}-backoff`) ? annotations.text(`auth-${side}-backoff`) : '';
    if (backoff !== '') stage(`error parsing ${side} backoff as duration`, () => checkGoDuration(backoff));
  }
  return {
    sidecarPatch: readPatch(annotations, 'agent-json-patch'),
    initPatch: readPatch(annotations, 'agent-init-json-patch'),
  };
}

function readPatch(
  annotations: Annotations,
  name: 'agent-json-patch' | 'agent-init-json-patch',
): PatchOperation[] {
  const text = annotations.text(name);
  if (text === '') return [];
  try {
    const patch: unknown = JSON.parse(text);
    return patch === null ? [] : parsePatch(patch); // Go reads null as a list of nothing
  } catch (error) {
    throw refusal(`error parsing JSON patch for annotation ${vaultPrefix}${name}: ${messageOf(error)}`);
  }
}

/** The order of the properties is the order of the checks. */
function readChecked(
  pod: Pod,
  annotations: Annotations,
  own: OwnOptions,
): Omit<AgentOptions, 'sidecarPatch' | 'initPatch'> {
  const base = {
    tokenVolume: findTokenVolume(pod, annotations),
    secrets: readSecrets(annotations),
    initFirst: annotations.bool('agent-init-first'),
    prePopulate: annotations.bool('agent-pre-populate'),
    prePopulateOnly: annotations.bool('agent-pre-populate-only'),
    revokeOnShutdown: annotations.bool('agent-revoke-on-shutdown'),
    revokeGrace: annotations.uint('agent-revoke-grace'),
    tlsSkipVerify: annotations.bool('tls-skip-verify'),
    ...readIdentity(pod, annotations),
    shareProcessNamespace: readShareProcessNamespace(pod, annotations),
    setSecurityContext: readSetSecurityContext(annotations),
    cacheEnable: annotations.bool('agent-cache-enable'),
    cacheExitOnErr: annotations.bool('agent-cache-exit-on-err'),
    defaultTemplate: readDefaultTemplate(annotations),
    injectToken: annotations.bool('agent-inject-token'),
    exitOnRetryFailure: annotations.bool('template-config-exit-on-retry-failure'),
    maxConnectionsPerHost: annotations.int('template-max-connections-per-host'),
    leaseRenewalThreshold: annotations.float('template-lease-renewal-threshold'),
    enableQuit: annotations.bool('agent-enable-quit'),
    autoAuthExitOnErr: annotations.bool('agent-auto-auth-exit-on-err'),
    containers: readContainers(pod, annotations),
    nativeSidecar: false,
    seccompProfile: own.seccompProfile,
    tmpfsSizeLimit: own.tmpfsSizeLimit,
    configMap: own.configMap,
    cachePersist: false,
  };
  // an agent that is meant to end does not become one that stays, and one that stays hands its cache to nobody
  const nativeSidecar = own.nativeSidecar && !base.prePopulateOnly;
  const cachePersist = base.cacheEnable && base.prePopulate && !base.prePopulateOnly && !nativeSidecar;
  return { ...base, nativeSidecar, cachePersist };
}

function readIdentity(pod: Pod, annotations: Annotations): { runAsUser: number; runAsGroup: number } {
  const runAsUser = annotations.int('agent-run-as-user');
  const runAsGroup = annotations.int('agent-run-as-group');
  return { runAsUser: annotations.bool('agent-run-as-same-user') ? userOfFirst(pod) : runAsUser, runAsGroup };
}

function userOfFirst({ containers: [first] }: Pod): number {
  if (first === undefined) throw refusal('No containers found in Pod Spec');
  if (!first.hasSecurityContext) throw refusal('No SecurityContext found for Container 0');
  if (first.runAsUser === undefined) throw refusal("RunAsUser is nil for Container 0's SecurityContext");
  if (first.runAsUser === 0) throw refusal('container not allowed to run as root');
  return first.runAsUser;
}

function readShareProcessNamespace(pod: Pod, annotations: Annotations): boolean | undefined {
  const name = 'agent-share-process-namespace';
  if (!annotations.has(name)) return undefined;
  const raw = annotations.text(name);
  const share = stage(
    `invalid value ${raw} for annotation ${quote(vaultPrefix + name)}, err=`,
    () => parseGoBool(raw),
    '',
  );
  if (share && pod.shareProcessNamespace === false) {
    throw refusal('shareProcessNamespace explicitly disabled on the pod, refusing to enable it');
  }
  return share;
}

/** Where the injector sets none by default, asking for a user or group asks for a security context. */
function readSetSecurityContext(annotations: Annotations): boolean {
  const asked = annotations.bool('agent-set-security-context');
  if (asked || annotations.has('agent-set-security-context')) return asked;
  return (['agent-run-as-user', 'agent-run-as-group', 'agent-run-as-same-user'] as const).some((n) =>
    annotations.has(n),
  );
}

function readDefaultTemplate(annotations: Annotations): 'map' | 'json' {
  const type = annotations.text('agent-inject-default-template').toLowerCase();
  if (type !== 'map' && type !== 'json') throw refusal(`invalid default template type: ${type}`);
  return type;
}

function readContainers(pod: Pod, annotations: Annotations): Set<string> {
  if (annotations.has('agent-inject-containers')) return new Set(annotations.csv('agent-inject-containers'));
  return new Set(pod.containers.map((container) => container.name));
}

function validate(annotations: Annotations, namespace: string): void {
  const requestNamespace = annotations.has('agent-request-namespace')
    ? annotations.text('agent-request-namespace')
    : namespace;
  if (requestNamespace === '') throw refusal('namespace missing from request');
  if (annotations.text('agent-image') === '') throw refusal('no Vault image found');
  if (annotations.text('agent-configmap') !== '') return; // the ConfigMap says the rest
  const authType = annotations.text('auth-type');
  if (authType === '') throw refusal('no Vault Auth Type found');
  const role = annotations.text('role') || annotations.named('auth-config', 'role');
  if (authType === 'kubernetes' && (role === undefined || role === '')) throw refusal('no Vault role found');
  if (annotations.text('auth-path') === '') throw refusal('no Vault Auth Path found');
  if (annotations.text('service') === '') throw refusal('no Vault address found');
}
