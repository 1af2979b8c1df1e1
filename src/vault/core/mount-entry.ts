/** A row of the mount table, as stored. TTLs in seconds, 0 = the system's. */
export interface MountEntry {
  readonly kind: 'secret' | 'auth';
  /** With trailing slash; auth mounts without their `auth/`. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly accessor: string;
  readonly uuid: string;
  readonly config: MountConfig;
  readonly options: Readonly<Record<string, string>> | null;
  readonly local: boolean;
  readonly sealWrap: boolean;
  /** What holds where the mount says nothing; set in memory by the router, never stored. */
  readonly system?: SystemTtls;
}

/** A mount as those see it who only tell of it. */
export interface MountSeen {
  readonly entry: MountEntry;
  readonly backend: { readonly version: string };
}

/** The server's own lease times, in seconds. */
export interface SystemTtls {
  readonly defaultTtl: number;
  readonly maxTtl: number;
}

export interface MountConfig {
  readonly default_lease_ttl: number;
  readonly max_lease_ttl: number;
  readonly force_no_cache: boolean;
  readonly listing_visibility?: string;
  readonly token_type?: string;
  readonly audit_non_hmac_request_keys?: readonly string[];
  readonly audit_non_hmac_response_keys?: readonly string[];
  readonly passthrough_request_headers?: readonly string[];
  readonly allowed_response_headers?: readonly string[];
  readonly lockout?: LockoutConfig;
}

/** What a mount says about users who fail to log in. Seconds; 0 = the server's own. */
export interface LockoutConfig {
  readonly threshold: number;
  readonly duration: number;
  readonly counterReset: number;
  readonly disabled: boolean;
}

/** 768 hours: Vault's default and maximum where nothing else is said. Seconds. */
export const systemTtl = 2_764_800;
const standardTtls: SystemTtls = { defaultTtl: systemTtl, maxTtl: systemTtl };

/** As requests see it: `auth/kubernetes/`, `secret/`. */
export function fullPath(mount: MountEntry): string {
  return mount.kind === 'auth' ? `auth/${mount.path}` : mount.path;
}

/** Where the mount keeps its entries. */
export function viewPrefix(mount: MountEntry): string {
  return `${mount.kind === 'auth' ? 'auth' : 'logical'}/${mount.uuid}/`;
}

/** The mount's own rows of the table. */
export function mountKey(kind: MountEntry['kind'], path: string): string {
  return `core/mounts/${kind}/${path}`;
}

export function effectiveDefaultTtl({ config, system = standardTtls }: MountEntry): number {
  const wanted = config.default_lease_ttl === 0 ? system.defaultTtl : config.default_lease_ttl;
  return Math.min(
    wanted,
    config.max_lease_ttl === 0 ? Math.max(system.maxTtl, wanted) : config.max_lease_ttl,
  );
}

export function effectiveMaxTtl({ config, system = standardTtls }: MountEntry): number {
  return config.max_lease_ttl === 0 ? system.maxTtl : config.max_lease_ttl;
}
