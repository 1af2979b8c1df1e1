import { readFile, realpath, rm } from 'node:fs/promises';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import type { MethodSettings } from '../config/config.ts';

/** What a method wants sent: a login, or a token that is already there. */
export type Credentials =
  | {
      readonly kind: 'login';
      readonly path: string;
      readonly data: Readonly<Record<string, Secret<string> | string>>;
    }
  | { readonly kind: 'token'; readonly token: Secret<string> };

export interface AuthMethod {
  /** Reads what it needs anew: projected tokens rotate. @throws MeshrootError */
  credentials(): Promise<Credentials>;
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
  let cached: Secret<string> | undefined;
  return {
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
  if (text(settings, 'secret_id_response_wrapping_path') !== undefined)
    throw new MeshrootError('bad-agent-config', 'secret_id_response_wrapping_path is not supported yet', {
      exit: 1,
    });
  const remove = flag(settings, 'remove_secret_id_file_after_reading', true);
  let cached: Secret<string> | undefined;
  return {
    credentials: async () => {
      const data: Record<string, Secret<string>> = { role_id: await secretFile(rolePath) };
      if (secretPath !== undefined) {
        const fresh = await secretFile(secretPath).catch((error: unknown) => {
          if (cached === undefined) throw error;
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

function tokenFile(settings: MethodSettings): AuthMethod {
  const path = required(settings, 'token_file_path');
  return { credentials: async () => ({ kind: 'token', token: await secretFile(path) }) };
}

/** The trimmed content. */
async function secretFile(path: string): Promise<Secret<string>> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    const reason = codeOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new MeshrootError('auth-file', `error reading ${path}: ${reason}`, { exit: 1 });
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
