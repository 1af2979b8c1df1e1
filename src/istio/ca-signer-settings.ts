import { MeshrootError } from '../lib/errors.ts';
import type { VaultLogin } from './ca-vault-session.ts';

/** `--vault-*` of `meshroot ca`. */
export interface VaultFlags {
  readonly address?: string | undefined;
  readonly caCert?: string | undefined;
  readonly namespace?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly authPath?: string | undefined;
  readonly role?: string | undefined;
  readonly jwtFile?: string | undefined;
  readonly pki?: string | undefined;
  readonly pkiRole?: string | undefined;
  readonly transit?: string | undefined;
  readonly transitKey?: string | undefined;
  readonly kvPath?: string | undefined;
}

export interface VaultSettings {
  readonly address: string;
  readonly caCertFile: string | undefined;
  readonly namespace: string | undefined;
  readonly login: VaultLogin;
}

export type SignerSettings =
  | { readonly kind: 'file' }
  | {
      readonly kind: 'vault-pki';
      readonly vault: VaultSettings;
      readonly mount: string;
      readonly role: string;
    }
  | {
      readonly kind: 'vault-transit';
      readonly vault: VaultSettings;
      readonly mount: string;
      readonly key: string;
      /** Where certificate, chain and root are: a KV path, else the files of the folder. */
      readonly kvPath: string | undefined;
    };

type Env = Readonly<Record<string, string | undefined>>;

const podToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** @throws MeshrootError naming what is missing */
export function signerSettings(kind = 'file', flags: VaultFlags, env: Env): SignerSettings {
  if (kind === 'file') return { kind };
  const what = `--signer ${kind}`;
  if (kind === 'vault-pki') {
    const role = required(flags.pkiRole, '--vault-pki-role ROLE', what);
    return { kind, vault: vaultSettings(what, flags, env), mount: trimmed(flags.pki ?? 'pki'), role };
  }
  if (kind === 'vault-transit') {
    const key = required(flags.transitKey, '--vault-transit-key NAME', what);
    const mount = trimmed(flags.transit ?? 'transit');
    const kvPath = flags.kvPath === undefined ? undefined : trimmed(flags.kvPath);
    return { kind, vault: vaultSettings(what, flags, env), mount, key, kvPath };
  }
  throw new MeshrootError('unknown-signer', `"${kind}" is not a signer`, {
    hint: 'one of: file, vault-pki, vault-transit',
  });
}

/** @param what it is for, in refusals: `--signer vault-pki` */
export function vaultSettings(what: string, flags: VaultFlags, env: Env): VaultSettings {
  return {
    address: required(flags.address ?? env.VAULT_ADDR, '--vault-address URL', what),
    caCertFile: flags.caCert ?? env.VAULT_CACERT,
    namespace: flags.namespace ?? env.VAULT_NAMESPACE,
    login: loginOf(what, flags),
  };
}

function loginOf(what: string, { tokenFile, authPath, role, jwtFile }: VaultFlags): VaultLogin {
  if (tokenFile !== undefined) return { tokenFile };
  const how = '--vault-role ROLE (with --vault-auth-path), or --vault-token-file FILE';
  return {
    role: required(role, how, what),
    authPath: trimmed(authPath ?? 'kubernetes').replace(/^auth\//, ''), // people write both
    jwtFile: jwtFile ?? podToken,
  };
}

function required(value: string | undefined, flag: string, what: string): string {
  if (value !== undefined && value !== '') return value;
  throw new MeshrootError('signer-incomplete', `${what} lacks ${flag.split(' ', 1)[0]}`, {
    hint: `give ${flag}`,
  });
}

const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, '');
