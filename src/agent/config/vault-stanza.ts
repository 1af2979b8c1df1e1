import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { VaultSettings } from './config.ts';
import { parseGoBool, type Section } from './section.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The `vault` stanza under the environment: a VAULT_* variable that is set wins over the file.
 * @param loginNamespace that of the auth method, in which all else is read too unless another one is named: the injector's
 *   annotation `namespace` says nothing but this
 */
export function readVault(
  section: Section | undefined,
  env: Environment,
  loginNamespace?: string,
): VaultSettings {
  const text = (variable: string, key: string): string | undefined =>
    set(env[variable]) ?? set(section?.text(key));
  return {
    address: set(env.VAULT_AGENT_ADDR) ?? text('VAULT_ADDR', 'address') ?? 'https://127.0.0.1:8200',
    caCert: text('VAULT_CACERT', 'ca_cert'),
    caPath: text('VAULT_CAPATH', 'ca_path'),
    caCertBytes: set(env.VAULT_CACERT_BYTES),
    clientCert: text('VAULT_CLIENT_CERT', 'client_cert'),
    clientKey: text('VAULT_CLIENT_KEY', 'client_key'),
    tlsServerName: text('VAULT_TLS_SERVER_NAME', 'tls_server_name'),
    skipVerify: skipVerify(env.VAULT_SKIP_VERIFY) ?? section?.boolean('tls_skip_verify') ?? false,
    namespace: text('VAULT_NAMESPACE', 'namespace') ?? set(loginNamespace),
    timeoutMs: timeout(set(env.VAULT_CLIENT_TIMEOUT)),
    retries: retries(section?.section('retry')?.integer('num_retries')),
  };
}

const set = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** Parsed, not merely "not empty": the injector's configmap mode always sets VAULT_SKIP_VERIFY=false. */
function skipVerify(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  const value = parseGoBool(text);
  if (value === undefined)
    throw new MeshrootError('bad-agent-config', `VAULT_SKIP_VERIFY must be true or false, not "${text}"`, {
      exit: 1,
    });
  return value;
}

function timeout(text: string | undefined): number {
  return text === undefined ? 60_000 : parseDuration(text);
}

function retries(configured: number | undefined): number {
  if (configured === undefined || configured === 0) return 12;
  return Math.max(0, configured);
}
