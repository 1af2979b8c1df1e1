/** An agent's configuration as it is used: defaults filled in, environment applied, durations in milliseconds. */
export interface AgentConfig {
  readonly vault: VaultSettings;
  readonly method: MethodSettings | undefined;
  readonly sinks: readonly SinkSettings[];
  readonly templates: readonly TemplateSettings[];
  readonly templateConfig: TemplateConfig;
  readonly exitAfterAuth: boolean;
  readonly pidFile: string | undefined;
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
  /** Things that are accepted but not served yet, in words for a warning. */
  readonly warnings: readonly string[];
}

export interface VaultSettings {
  readonly address: string;
  readonly caCert: string | undefined;
  readonly caPath: string | undefined;
  /** PEM given in the environment. */
  readonly caCertBytes: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  readonly tlsServerName: string | undefined;
  readonly skipVerify: boolean;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  /** Further attempts of a template's read. */
  readonly retries: number;
}

export interface MethodSettings {
  readonly type: string;
  readonly mountPath: string;
  readonly namespace: string | undefined;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly exitOnError: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface SinkSettings {
  readonly path: string;
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface TemplateSettings {
  readonly source: string | undefined;
  readonly contents: string | undefined;
  readonly destination: string;
  readonly createDestDirs: boolean;
  /** Undefined: that of the existing file, else 0644. */
  readonly perms: number | undefined;
  readonly leftDelimiter: string;
  readonly rightDelimiter: string;
  readonly errorOnMissingKey: boolean;
  readonly errorFatal: boolean;
  readonly backup: boolean;
  readonly command: string | readonly string[] | undefined;
  readonly commandTimeoutMs: number;
  readonly denylist: readonly string[];
}

export interface TemplateConfig {
  readonly exitOnRetryFailure: boolean;
  readonly staticSecretRenderIntervalMs: number;
  /** Part of a lease after which a secret that cannot be renewed is read again. */
  readonly leaseRenewalThreshold: number;
}
