/** An agent's configuration as it is used: defaults filled in, environment applied, durations in milliseconds. */
export interface AgentConfig {
  readonly vault: VaultSettings;
  readonly method: MethodSettings | undefined;
  readonly sinks: readonly SinkSettings[];
  readonly templates: readonly TemplateSettings[];
  /** The program to supervise; its environment comes from the templates with an `envName`. */
  readonly exec: ExecSettings | undefined;
  readonly listeners: readonly ListenerSettings[];
  readonly proxy: ProxySettings | undefined;
  /** Whether `proxy` comes of an `api_proxy` block. */
  readonly hasApiProxy: boolean;
  readonly cache: CacheSettings | undefined;
  readonly onChange: readonly OnChangeSettings[];
  readonly templateConfig: TemplateConfig;
  readonly exitAfterAuth: boolean;
  readonly pidFile: string | undefined;
  readonly logLevel: string | undefined;
  readonly logFormat: string | undefined;
  readonly logFile: LogFileSettings | undefined;
  /** Things that are accepted but not served yet, in words for a warning. */
  readonly warnings: readonly string[];
}

export interface LogFileSettings {
  readonly path: string;
  /** 0 for no limit. */
  readonly rotateBytes: number;
  readonly rotateMs: number;
  /** Rotated files kept; 0 for all, -1 for none. */
  readonly maxFiles: number;
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
  /** A sidecar that ends in good order takes its token with it. */
  readonly revokeOnShutdown: boolean;
  /** The login's answer is wrapped: the sink gets a wrapping token, the agent itself none. */
  readonly wrapTtlMs: number | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Keys of a Diffie-Hellman exchange with whoever reads the sink. */
export interface SinkEncryption {
  /** File with the reader's public key. */
  readonly path: string;
  readonly deriveKey: boolean;
  readonly additionalData: string;
}

export interface SinkSettings {
  /** The token is put into a wrapping token that lives so long. */
  readonly wrapTtlMs: number | undefined;
  readonly encryption: SinkEncryption | undefined;
  readonly path: string;
  readonly mode: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export interface ListenerSettings {
  readonly type: 'tcp' | 'unix';
  /** `host:port` or the path of a socket. */
  readonly address: string;
  readonly socketMode: number | undefined;
  readonly requireRequestHeader: boolean;
  readonly metricsOnly: boolean;
  readonly enableQuit: boolean;
  readonly tls: ListenerTls | undefined;
}

export interface ListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  /** `required`: of whom `clientCaFile` trusts, or the system where there is none. */
  readonly clients: 'any' | 'required';
  readonly clientCaFile: string | undefined;
}

export interface ProxySettings {
  /** Whether the agent's token goes with requests: never, with those that have none, with all. */
  readonly useToken: 'no' | 'yes' | 'force';
}

/** What happens when a set was swapped in. */
export interface OnChangeSettings {
  /** Of the set. */
  readonly folder: string;
  /** Program and arguments; empty for none. */
  readonly command: readonly string[];
  readonly signal: NodeJS.Signals | undefined;
  /** Of the process that gets the signal. */
  readonly pidFile: string | undefined;
  /** Gets a POST. */
  readonly http: string | undefined;
  /** `host:port` that is to show the new serial, anywhere in its chain. */
  readonly probe: string | undefined;
  readonly serverName: string | undefined;
  readonly timeoutMs: number;
  readonly intervalMs: number;
}

/** What the listeners answer with a lease is kept. */
export interface CacheSettings {
  readonly persist: PersistSettings | undefined;
}

/** An encrypted copy of what the templates read, so that a restart works while the store is down. */
export interface PersistSettings {
  /** Folder. */
  readonly path: string;
  /** File with the key, made when it is not there; undefined: beside the copy, if that is in memory. */
  readonly keyFile: string | undefined;
  /** Milliseconds that a copy is good for. */
  readonly maxAgeMs: number;
  readonly exitOnError: boolean;
}

export interface ExecSettings {
  readonly command: readonly string[];
  readonly restartOnChange: boolean;
  readonly stopSignal: NodeJS.Signals;
}

export interface TemplateSettings {
  /** Variable of the supervised process that gets the text, instead of a file. */
  readonly envName: string | undefined;
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
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly wait: Quiet | undefined;
  /** `file` reads only below this folder. */
  readonly sandboxPath: string | undefined;
  readonly command: string | readonly string[] | undefined;
  readonly commandTimeoutMs: number;
  /** Undefined: that of the agent. */
  readonly commandEnvironment: CommandEnvironment | undefined;
  readonly denylist: readonly string[];
}

/** `exec.env` of a template; names may hold `*` and `?`. */
export interface CommandEnvironment {
  /** Nothing but `custom`. */
  readonly pristine: boolean;
  /** `NAME=value` */
  readonly custom: readonly string[];
  readonly allowlist: readonly string[];
  readonly denylist: readonly string[];
}

/** A change is held back until nothing changed for `minMs`, at most `maxMs`. */
export interface Quiet {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface TemplateConfig {
  readonly exitOnRetryFailure: boolean;
  readonly staticSecretRenderIntervalMs: number;
  /** Part of a lease after which a secret that cannot be renewed is read again. */
  readonly leaseRenewalThreshold: number;
}
