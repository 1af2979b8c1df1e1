import type { Agent, RequestOptions } from 'node:https';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Credentials, Endpoint } from './endpoint.ts';
import type { KubeconfigContext } from './kubeconfig.ts';

/**
 * The endpoint of a context with an exec plugin, OIDC or another auth provider, or a proxy: all of that is
 * @kubernetes/client-node's KubeConfig. It is loaded only here: importing it takes half a second (docs/decisions/0002).
 */
export async function pluginEndpoint(context: KubeconfigContext): Promise<Endpoint> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify(asFile(context)));
  return {
    server: context.cluster.server,
    namespace: context.namespace,
    credentials: async () => {
      const options: RequestOptions = {};
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw failed(error, context);
      }
      return credentialsOf(options, context);
    },
  };
}

function failed(error: unknown, { name, userName }: KubeconfigContext): MeshrootError {
  const [, missing] = /^spawn (\S+) ENOENT$/.exec(messageOf(error)) ?? [];
  const why =
    missing === undefined
      ? messageOf(error).trim() || 'its credential plugin ended without a word'
      : `its credential plugin ${missing} is not on PATH`;
  return new MeshrootError('kube-credentials', `user "${userName}": ${why}`, {
    hint: `see what kubectl says: kubectl --context ${name} auth whoami`,
    cause: error,
  });
}

function credentialsOf(options: RequestOptions, context: KubeconfigContext): Credentials {
  const headers: Record<string, unknown> = { ...options.headers };
  const bearer = typeof headers.Authorization === 'string' ? headers.Authorization : undefined;
  const basic = options.auth ? `Basic ${Buffer.from(options.auth).toString('base64')}` : undefined;
  const authorization = bearer ?? basic;
  return {
    tls: {
      ca: text(options.ca),
      cert: text(options.cert),
      key: options.key === undefined ? undefined : new Secret<string | Buffer>(text(options.key) ?? ''),
      servername: context.cluster['tls-server-name'],
      insecure: context.cluster['insecure-skip-tls-verify'],
    },
    authorization: authorization === undefined ? undefined : new Secret(authorization),
    agent: context.cluster['proxy-url'] === undefined ? undefined : agentOf(options),
  };
}

function agentOf(options: RequestOptions): Agent | undefined {
  return typeof options.agent === 'object' ? (options.agent as Agent) : undefined;
}

function text(value: unknown): string | Buffer | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined;
}

function asFile(context: KubeconfigContext): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context.name,
    clusters: [{ name: context.clusterName, cluster: context.cluster }],
    users: [{ name: context.userName, user: context.user }],
    contexts: [{ name: context.name, context: { cluster: context.clusterName, user: context.userName } }],
  };
}
