import { MeshrootError } from '../lib/errors.ts';
import { type VaultFlags, type VaultSettings, vaultSettings } from './ca-signer-settings.ts';

/** Where the CA remembers which tokens of machines were used; not given: it does not. */
export type JoinSettings =
  | { readonly kind: 'memory' }
  | { readonly kind: 'vault'; readonly vault: VaultSettings; readonly path: string };

interface JoinFlags {
  readonly joinOnce?: boolean | undefined;
  readonly joinKvPath?: string | undefined;
  readonly vault?: VaultFlags | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws MeshrootError `bad-join-path`, or naming what is missing to reach the Vault */
export function joinSettings(flags: JoinFlags, env: Env): JoinSettings | undefined {
  const { joinOnce, joinKvPath, vault } = flags;
  if (joinKvPath === undefined) return joinOnce === true ? { kind: 'memory' } : undefined;
  const path = joinKvPath.replace(/^\/+|\/+$/g, '');
  if (/^[^/]+(\/[^/]+)*\/data\/[^/]+/.test(path))
    return { kind: 'vault', vault: vaultSettings('--join-kv-path', vault ?? {}, env), path };
  throw new MeshrootError('bad-join-path', `"${joinKvPath}" is not a path of KV version 2`, {
    hint: 'MOUNT/data/PATH, for example: --join-kv-path secret/data/meshroot/joined',
  });
}
