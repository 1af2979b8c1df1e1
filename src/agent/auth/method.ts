import { readFile, realpath, rm } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import type { MethodSettings } from '../config/config.ts';
import type { VaultAccess } from '../vault-access.ts';
import { unwrappedSecretId } from './unwrap-secret-id.ts';

/** What a method wants sent: a login, or a token that is already there. */
export type Credentials =
  | {
      readonly kind: 'login';
      readonly path: string;
      readonly data: Readonly<Record<string, Secret<string> | string>>;
    }
  | { readonly kind: 'token'; readonly token: Secret<string> };

export interface AuthMethod {
  /** The login goes over a connection of its own, with this client certificate. */
  readonly tls?: ClientTls;
  /** Reads what it needs anew: projected tokens rotate. @throws MeshrootError */
  credentials(access: VaultAccess): Promise<Credentials>;
  /** Resolves when other credentials than those of the last login are there; rejects when the signal is aborted. */
  changed?(clock: Clock, signal: AbortSignal): Promise<void>;
}

export interface ClientTls {
  readonly caCert: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  /** Reads the files anew for each login. */
  readonly reload: boolean;
}

const kubernetesTokenPath = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** @throws MeshrootError `bad-agent-config` for an unknown method or a missing key */
export function authMethod(settings: MethodSettings): AuthMethod {
  const make = methods[settings.type];
  if (make === undefined)
    throw new MeshrootError('bad-agent-config', `unknown auth method "${settings.type}"`, {
      exit: 1,
      hint: `known: ${Object.keys(methods).join(', ')}`,
    });
  return make(settings);
}

const methods: Readonly<Record<string, (settings: MethodSettings) => AuthMethod>> = {
  kubernetes,
  approle,
  cert,
  jwt,
  token_file: tokenFile,
};

function kubernetes(settings: MethodSettings): AuthMethod {
  const role = required(settings, 'role');
  const tokenPath = text(settings, 'token_path') ?? kubernetesTokenPath;
  return {
    credentials: async () => ({
      kind: 'login',
      path: `${settings.mountPath}/login`,
      data: { role, jwt: await secretFile(tokenPath) },
    }),
  };
}

function jwt(settings: MethodSettings): AuthMethod {
  const path = required(settings, 'path');
  const role = required(settings, 'role');
  const remove = flag(settings, 'remove_jwt_after_reading', true);
  const period = parseDuration(text(settings, 'jwt_read_period') ?? (remove ? '500ms' : '1m'));
  let cached: Secret<string> | undefined;
  return {
    changed: async (clock, signal) => {
      for (;;) {
        await clock.sleep(period, signal);
        const there = await secretFile(path).catch(() => undefined);
        if (there !== undefined && there.reveal() !== cached?.reveal()) return;
      }
    },
    credentials: async () => {
      const token = await secretFile(path).catch((error: unknown) => {
        if (cached === undefined) throw error; // it was removed after the first reading
        return cached;
      });
      cached = token;
      if (remove)
        await rm(flag(settings, 'remove_jwt_follows_symlinks', false) ? await realpath(path) : path, {
          force: true,
        });
      return { kind: 'login', path: `${settings.mountPath}/login`, data: { role, jwt: token } };
    },
  };
}

function approle(settings: MethodSettings): AuthMethod {
  const rolePath = required(settings, 'role_id_file_path');
  const secretPath = text(settings, 'secret_id_file_path');
  const wrappingPath = text(settings, 'secret_id_response_wrapping_path');
  const remove = flag(settings, 'remove_secret_id_file_after_reading', true);
  let cached: Secret<string> | undefined;
  return {
    credentials: async (access) => {
      const data: Record<string, Secret<string>> = { role_id: await secretFile(rolePath) };
      if (secretPath !== undefined) {
        const read = async (): Promise<Secret<string>> => {
          const content = await secretFile(secretPath);
          return wrappingPath === undefined ? content : unwrappedSecretId(content, wrappingPath, access);
        };
        const fresh = await read().catch((error: unknown) => {
          // A wrapped one can be opened once: what was in it is good for further logins.
          if (cached === undefined || codeOf(error) === 'secret-id-stolen') throw error;
          return cached;
        });
        cached = fresh;
        data.secret_id = fresh;
        if (remove) await rm(secretPath, { force: true }).catch(() => {}); // read-only mounts: the cached one goes on
      }
      return { kind: 'login', path: `${settings.mountPath}/login`, data };
    },
  };
}

function cert(settings: MethodSettings): AuthMethod {
  const name = text(settings, 'name');
  const tls = {
    caCert: text(settings, 'ca_cert'),
    clientCert: text(settings, 'client_cert'),
    clientKey: text(settings, 'client_key'),
    reload: flag(settings, 'reload', false),
  };
  const own = tls.caCert ?? tls.clientCert ?? tls.clientKey;
  return {
    ...(own === undefined ? {} : { tls }),
    credentials: async () => ({
      kind: 'login',
      path: `${settings.mountPath}/login`,
      data: name === undefined ? {} : { name },
    }),
  };
}

function tokenFile(settings: MethodSettings): AuthMethod {
  const path = required(settings, 'token_file_path');
  return { credentials: async () => ({ kind: 'token', token: await secretFile(path) }) };
}

/** The trimmed content. */
async function secretFile(path: string): Promise<Secret<string>> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = codeOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new MeshrootError('auth-file', `error reading ${path}: ${reason}`, {
      exit: 1,
      hint: 'is the path right, is the volume mounted in this container, and may this user read it?',
    });
  });
  if (content.trim() === '') throw new MeshrootError('auth-file', `${path} is empty`, { exit: 1 });
  return new Secret(content.trim());
}

function text(settings: MethodSettings, key: string): string | undefined {
  const value = settings.config[key];
  return value === undefined || value === '' || value === null ? undefined : String(value);
}

function required(settings: MethodSettings, key: string): string {
  const value = text(settings, key);
  if (value === undefined)
    throw new MeshrootError(
      'bad-agent-config',
      `missing '${key}' value in the config of auth method "${settings.type}"`,
      {
        exit: 1,
      },
    );
  return value;
}

function flag(settings: MethodSettings, key: string, otherwise: boolean): boolean {
  const value = text(settings, key);
  return value === undefined ? otherwise : value === 'true' || value === '1';
}
