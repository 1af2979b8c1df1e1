import type { MethodSettings, SinkEncryption, SinkSettings } from './config.ts';
import type { Section } from './section.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The one `method` of an `auto_auth` block. */
export function readMethod(autoAuth: Section): MethodSettings {
  const [method, ...more] = autoAuth.typed('method');
  if (method === undefined) return autoAuth.fail('auto_auth needs a method', autoAuth.entry('method'));
  if (more.length > 0) autoAuth.fail('auto_auth takes one method', autoAuth.entry('method'));
  const { type, section } = method;
  const minBackoffMs = section.duration('min_backoff') ?? 1000;
  const maxBackoffMs = section.duration('max_backoff') ?? 300_000;
  if (minBackoffMs >= maxBackoffMs)
    section.fail('auto_auth.method: min_backoff must be less than max_backoff', section.entry('min_backoff'));
  return {
    type,
    mountPath: (section.text('mount_path') ?? `auth/${type}`).replace(/^\/+|\/+$/g, ''),
    namespace: section.text('namespace'),
    minBackoffMs,
    maxBackoffMs,
    exitOnError: section.boolean('exit_on_err') ?? false,
    revokeOnShutdown: autoAuth.boolean('revoke_on_shutdown') ?? false,
    wrapTtlMs: section.duration('wrap_ttl') || undefined,
    config: configOf(section),
  };
}

/** The free-form `config` block. */
function configOf(section: Section): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {};
  for (const config of section.sections('config')) {
    for (const { key, value } of config.object.entries)
      out[key] = typeof value === 'object' ? config.texts(key) : value;
  }
  return out;
}

/** The sinks of an `auto_auth` block, checked against its method. */
export function readSinks(autoAuth: Section, method: MethodSettings, env: Environment): SinkSettings[] {
  const sinks = autoAuth.typed('sink').map(({ type, section }) => readSink(type, section, env));
  if (method.wrapTtlMs === undefined) return sinks;
  const at = autoAuth.entry('sink');
  if (sinks.length !== 1)
    autoAuth.fail('error validating configuration: auto_auth.method.wrap_ttl takes exactly one sink', at);
  if (sinks.some((sink) => sink.wrapTtlMs !== undefined))
    autoAuth.fail('error validating configuration: wrap_ttl on both the auth method and the sink', at);
  return sinks;
}

function readSink(type: string, section: Section, env: Environment): SinkSettings {
  if (type !== 'file')
    section.fail(`unknown sink type "${type}"`, section.entry('type'), 'only "file" is known');
  const config = section.section('config');
  const path = config?.text('path');
  if (config === undefined || path === undefined || path === '')
    return section.fail("'path' not specified for file sink", section.entry('config'));
  return {
    wrapTtlMs: section.duration('wrap_ttl') || undefined,
    encryption: readEncryption(section, env),
    path,
    mode: config.integer('mode', 8) ?? 0o640,
    uid: config.integer('uid'),
    gid: config.integer('gid'),
  };
}

function readEncryption(section: Section, env: Environment): SinkEncryption | undefined {
  const type = section.text('dh_type') ?? '';
  const path = section.text('dh_path') ?? '';
  const aad = section.text('aad');
  const variable = section.text('aad_env_var');
  const fail = (reason: string): never => section.fail(reason, section.entry('dh_type'));
  if (type === '') {
    if (path !== '' || aad !== undefined || section.boolean('derive_key') === true)
      fail('sink: dh_path, aad and derive_key need a dh_type');
    return undefined;
  }
  if (type !== 'curve25519') fail(`sink: unknown dh_type "${type}": only curve25519 is known`);
  if (path === '') fail('sink: dh_type needs a dh_path');
  const additionalData = variable === undefined ? (aad ?? '') : (env[variable] ?? '');
  if (variable !== undefined && additionalData === '') fail(`sink: aad_env_var ${variable} is not set`);
  return { path, deriveKey: section.boolean('derive_key') ?? false, additionalData };
}
