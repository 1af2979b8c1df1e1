import type { CommandEnvironment, VaultSettings } from './config/config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What is known of the store, under the names by which Vault's own tools read it: for commands and for `env` in templates. */
export function vaultEnvironment(vault: VaultSettings): Environment {
  const given = {
    VAULT_ADDR: vault.address,
    VAULT_NAMESPACE: vault.namespace,
    VAULT_CACERT: vault.caCert,
    VAULT_CAPATH: vault.caPath,
    VAULT_CACERT_BYTES: vault.caCertBytes,
    VAULT_CLIENT_CERT: vault.clientCert,
    VAULT_CLIENT_KEY: vault.clientKey, // the path of it
    VAULT_TLS_SERVER_NAME: vault.tlsServerName,
    VAULT_SKIP_VERIFY: vault.skipVerify ? 'true' : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The environment of a template's command: that of the agent, filtered and added to as its `exec.env` says. */
export function commandEnvironment(env: Environment, wish: CommandEnvironment | undefined): Environment {
  if (wish === undefined) return env;
  const { pristine, custom, allowlist, denylist } = wish;
  const kept = pristine
    ? []
    : Object.entries(env)
        .filter(([name]) => allowlist.length === 0 || matchesAny(allowlist, name))
        .filter(([name]) => !matchesAny(denylist, name));
  const added = custom.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries([...kept, ...added]);
}

/** `*` stands for any text, `?` for any character. */
function matchesAny(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => {
    const pattern = glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${pattern}$`).test(name);
  });
}
