import type { InjectionPolicy } from './policy.ts';

/** What the operator of the injector decides for all pods; an annotation of a pod wins over it. */
export interface InjectorSettings {
  readonly vaultAddress: string;
  /** PEM, or base64 of it; lands in the agents as VAULT_CACERT_BYTES. */
  readonly vaultCaCertBytes: string;
  readonly vaultImage: string;
  readonly vaultAuthType: string;
  readonly vaultAuthPath: string;
  /** Vault namespace (enterprise), not the Kubernetes one. */
  readonly vaultNamespace: string;
  readonly proxyAddress: string;
  readonly revokeOnShutdown: boolean;
  readonly runAsUser: string;
  readonly runAsGroup: string;
  readonly runAsSameUser: boolean;
  readonly setSecurityContext: boolean;
  readonly defaultTemplate: string;
  readonly cpuRequest: string;
  readonly cpuLimit: string;
  readonly memoryRequest: string;
  readonly memoryLimit: string;
  readonly ephemeralStorageRequest: string;
  readonly ephemeralStorageLimit: string;
  readonly exitOnRetryFailure: boolean;
  readonly staticSecretRenderInterval: string;
  readonly maxConnectionsPerHost: number;
  readonly authMinBackoff: string;
  readonly authMaxBackoff: string;
  readonly disableIdleConnections: string;
  readonly disableKeepAlives: string;
  /** The cluster's name, for `meshroot.io/istio-ca`; empty: the annotation `meshroot.io/cluster` must say it. */
  readonly cluster: string;
  /** Defaults of `meshroot.io/native-sidecar`, `seccomp-profile` and `tmpfs-size-limit`. */
  readonly nativeSidecar: boolean;
  readonly seccompProfile: string;
  readonly tmpfsSizeLimit: string;
  /** Large configurations of agents go into ConfigMaps, which the injector writes: default of `meshroot.io/config-map`. */
  readonly configMaps: boolean;
  /** What namespaces may ask for; absent: everything. */
  readonly policy?: InjectionPolicy | undefined;
}

/** vault-k8s 1.7.6's defaults; the Vault address has none. */
export const defaultSettings: InjectorSettings = {
  vaultAddress: '',
  vaultCaCertBytes: '',
  vaultImage: 'hashicorp/vault:2.0.4',
  vaultAuthType: 'kubernetes',
  vaultAuthPath: 'auth/kubernetes',
  vaultNamespace: '',
  proxyAddress: '',
  revokeOnShutdown: false,
  runAsUser: '100',
  runAsGroup: '1000',
  runAsSameUser: false,
  setSecurityContext: true,
  defaultTemplate: 'map',
  cpuRequest: '250m',
  cpuLimit: '500m',
  memoryRequest: '64Mi',
  memoryLimit: '128Mi',
  ephemeralStorageRequest: '',
  ephemeralStorageLimit: '',
  exitOnRetryFailure: true,
  staticSecretRenderInterval: '',
  maxConnectionsPerHost: 0,
  authMinBackoff: '',
  authMaxBackoff: '',
  disableIdleConnections: '',
  disableKeepAlives: '',
  cluster: '',
  nativeSidecar: false,
  seccompProfile: '',
  tmpfsSizeLimit: '',
  configMaps: false,
};
