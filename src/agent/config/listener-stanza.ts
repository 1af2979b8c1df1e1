import type { CacheSettings, ListenerSettings, ListenerTls, ProxySettings } from './config.ts';
import type { Section } from './section.ts';

/** The `listener "tcp"` and `listener "unix"` blocks. */
export function readListeners(section: Section): ListenerSettings[] {
  return section.typed('listener').map(({ type, section: body }) => {
    if (type !== 'tcp' && type !== 'unix')
      body.fail(`unknown listener type "${type}"`, body.object.entries[0], 'tcp or unix');
    const address = body.text('address') ?? (type === 'tcp' ? '127.0.0.1:8200' : '');
    if (address === '') body.fail('a unix listener needs an address', body.object.entries[0]);
    const role = body.text('role') ?? 'default';
    if (role !== 'default' && role !== 'metrics_only')
      body.fail(`unknown listener role "${role}"`, body.entry('role'), 'default or metrics_only');
    return {
      type: type === 'unix' ? 'unix' : 'tcp',
      address,
      socketMode: body.integer('socket_mode', 8),
      requireRequestHeader: body.boolean('require_request_header') ?? false,
      metricsOnly: role === 'metrics_only',
      enableQuit: body.section('agent_api')?.boolean('enable_quit') ?? false,
      tls: readTls(type, body),
    };
  });
}

function readTls(type: string, body: Section): ListenerSettings['tls'] {
  if (type === 'unix' || body.boolean('tls_disable') === true) return undefined;
  const certFile = body.text('tls_cert_file');
  const keyFile = body.text('tls_key_file');
  if (certFile === undefined || keyFile === undefined)
    return body.fail(
      'a tcp listener needs tls_cert_file and tls_key_file',
      body.object.entries[0],
      'or tls_disable = true',
    );
  return {
    certFile,
    keyFile,
    minVersion: minVersion(body),
    clients: body.boolean('tls_require_and_verify_client_cert') === true ? 'required' : 'any',
    clientCaFile: body.text('tls_client_ca_file'),
  };
}

const versions = { tls10: 'TLSv1', tls11: 'TLSv1.1', tls12: 'TLSv1.2', tls13: 'TLSv1.3' } as const;

function minVersion(body: Section): ListenerTls['minVersion'] {
  const word = body.text('tls_min_version') ?? 'tls12';
  const known = Object.entries(versions).find(([name]) => name === word);
  return (
    known?.[1] ??
    body.fail(
      `unknown tls_min_version "${word}"`,
      body.entry('tls_min_version'),
      Object.keys(versions).join(', '),
    )
  );
}

/** What a listener lets pass although it looks as if it did not. */
export function listenerWarnings(section: Section): string[] {
  return section.typed('listener').flatMap(({ section: body }) => {
    const names = body.text('tls_client_ca_file') !== undefined;
    return names && body.boolean('tls_require_and_verify_client_cert') !== true
      ? [
          'listener: tls_client_ca_file without tls_require_and_verify_client_cert asks nobody for a certificate',
        ]
      : [];
  });
}

/** The `cache` block, with `persist`. */
export function readCache(cache: Section | undefined): CacheSettings | undefined {
  if (cache === undefined) return undefined;
  const [persist] = cache.typed('persist');
  if (persist === undefined) return { persist: undefined };
  const { type, section } = persist;
  const types = ['kubernetes', 'file'];
  if (!types.includes(type))
    section.fail(`unknown cache.persist type "${type}"`, section.object.entries[0], types.join(' or '));
  const path = section.text('path') ?? '';
  if (path === '') section.fail('cache.persist needs a path', section.object.entries[0]);
  return {
    persist: {
      path,
      keyFile: section.text('key_file') || undefined,
      maxAgeMs: section.duration('max_age') ?? 86_400_000,
      exitOnError: section.boolean('exit_on_err') ?? false,
    },
  };
}

/** `api_proxy` and, before it existed, `cache` say whose token goes with requests that have none. */
export function readProxy(proxy: Section | undefined, cache: Section | undefined): ProxySettings | undefined {
  const from = [proxy, cache].find((s) => s?.entry('use_auto_auth_token') !== undefined);
  if (proxy === undefined && cache === undefined) return undefined;
  const text = from?.text('use_auto_auth_token') ?? 'false';
  if (text === 'force') return { useToken: 'force' };
  return { useToken: from?.boolean('use_auto_auth_token') === true ? 'yes' : 'no' };
}
