import { readFile } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Credentials, Endpoint, TlsMaterial } from './endpoint.ts';
import type { KubeconfigCluster, KubeconfigContext, KubeconfigUser } from './kubeconfig.ts';

/** A service-account token file changes about hourly; client-go looks again after a minute at the latest. */
const tokenFileMaxAge = 10_000;

/** True when every credential of this context is written down: no plugin, no provider, no proxy. */
export function isStatic(context: KubeconfigContext): boolean {
  const { user, cluster } = context;
  return user.exec === undefined && user['auth-provider'] === undefined && cluster['proxy-url'] === undefined;
}

/** The endpoint of a context for which `isStatic` holds. */
export async function staticEndpoint(context: KubeconfigContext, clock: Clock): Promise<Endpoint> {
  const tls = await tlsOf(context.cluster, context.user);
  const authorization = authorizationOf(context.user, clock);
  return {
    server: context.cluster.server,
    namespace: context.namespace,
    credentials: async (): Promise<Credentials> => ({ tls, authorization: await authorization.current() }),
    refused: authorization.forget,
  };
}

async function tlsOf(cluster: KubeconfigCluster, user: KubeconfigUser): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
    dataOrFile(user['client-certificate-data'], user['client-certificate']),
    dataOrFile(user['client-key-data'], user['client-key']),
  ]);
  return {
    ca,
    cert,
    key: key === undefined ? undefined : new Secret<string | Buffer>(key),
    servername: cluster['tls-server-name'],
    insecure: cluster['insecure-skip-tls-verify'],
  };
}

async function dataOrFile(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return file ? await readNamed(file) : undefined;
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new MeshrootError('bad-kubeconfig', `a file named in the kubeconfig: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

interface Authorization {
  current(): Promise<Secret<string> | undefined>;
  forget(): void;
}

/** kubectl's order: tokenFile over token over username and password. */
function authorizationOf(user: KubeconfigUser, clock: Clock): Authorization {
  const file = user.tokenFile;
  if (file) return tokenFileAuthorization(file, clock);
  const value = user.token
    ? `Bearer ${user.token}`
    : user.username
      ? `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
      : undefined;
  const secret = value === undefined ? undefined : new Secret(value);
  return { current: async () => secret, forget: () => {} };
}

function tokenFileAuthorization(file: string, clock: Clock): Authorization {
  let cached: { readonly value: Secret<string>; readonly readAt: number } | undefined;
  return {
    current: async () => {
      if (cached === undefined || clock.now() - cached.readAt > tokenFileMaxAge) {
        const token = (await readNamed(file)).toString('utf8').trim();
        cached = { value: new Secret(`Bearer ${token}`), readAt: clock.now() };
      }
      return cached.value;
    },
    forget: () => {
      cached = undefined;
    },
  };
}
