import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import { parseHcl } from '../../lib/hcl/parse.ts';
import { HclError, type HclObject } from '../../lib/hcl/tree.ts';
import type { AgentConfig, MethodSettings, SinkSettings, TemplateConfig } from './config.ts';
import { Section } from './section.ts';
import { readTemplate } from './template-stanza.ts';
import { readVault } from './vault-stanza.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and merges the configuration files (HCL 1 or JSON) and folders: of scalars and blocks the later one counts,
 * template lists concatenate.
 * @throws MeshrootError `bad-agent-config` with file, line and column
 */
export async function readConfig(paths: readonly string[], env: Environment): Promise<AgentConfig> {
  if (paths.length === 0)
    throw new MeshrootError('bad-agent-config', 'must specify at least one config path using -config', {
      exit: 1,
    });
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const sections = await Promise.all(files.map(readSection));
  return validated(toConfig(sections, env));
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((n) => /\.(hcl|json)$/.test(n)).sort();
    return names.map((n) => join(path, n));
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readSection(file: string): Promise<Section> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  return new Section(file, '', parsed(file, text));
}

function unreadable(path: string, error: unknown): MeshrootError {
  const reason = codeOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
  return new MeshrootError('bad-agent-config', `error loading configuration from ${path}: ${reason}`, {
    exit: 1,
  });
}

function parsed(file: string, text: string): HclObject {
  try {
    return parseHcl(text);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    throw new MeshrootError('bad-agent-config', `${file}:${error.line}:${error.column}: ${error.reason}`, {
      exit: 1,
    });
  }
}

function toConfig(sections: readonly Section[], env: Environment): AgentConfig {
  const last = <T>(read: (s: Section) => T | undefined): T | undefined =>
    sections.map(read).findLast((v) => v !== undefined);
  refuseUnsupported(sections);
  const autoAuth = last((s) => s.section('auto_auth'));
  return {
    vault: readVault(
      last((s) => s.section('vault')),
      env,
    ),
    method: autoAuth === undefined ? undefined : readMethod(autoAuth),
    sinks:
      autoAuth === undefined
        ? []
        : autoAuth.typed('sink').map(({ type, section }) => readSink(type, section)),
    templates: sections.flatMap((s) => s.sections('template').map(readTemplate)),
    templateConfig: readTemplateConfig(last((s) => s.section('template_config'))),
    exitAfterAuth: last((s) => s.boolean('exit_after_auth')) ?? false,
    pidFile: last((s) => s.text('pid_file')),
    logLevel: last((s) => s.text('log_level')),
    logFormat: last((s) => s.text('log_format')),
    warnings: warningsOf(sections),
  };
}

function refuseUnsupported(sections: readonly Section[]): void {
  for (const section of sections) {
    for (const key of ['env_template', 'exec']) {
      const entry = section.entry(key);
      if (entry !== undefined) section.fail(`"${key}" (process supervisor mode) is not supported yet`, entry);
    }
  }
}

function warningsOf(sections: readonly Section[]): string[] {
  const warnings: string[] = [];
  const has = (key: string): boolean => sections.some((s) => s.entry(key) !== undefined);
  if (has('cache')) warnings.push('the cache stanza is accepted but not served yet');
  if (has('listener')) warnings.push('the listener stanza is accepted but not served yet: nothing listens');
  if (has('api_proxy')) warnings.push('the api_proxy stanza is accepted but not served yet');
  return warnings;
}

function readMethod(autoAuth: Section): MethodSettings {
  const [method, ...more] = autoAuth.typed('method');
  if (method === undefined) return autoAuth.fail('auto_auth needs a method', autoAuth.entry('method'));
  if (more.length > 0) autoAuth.fail('auto_auth takes one method', autoAuth.entry('method'));
  const { type, section } = method;
  const minBackoffMs = section.duration('min_backoff') ?? 1000;
  const maxBackoffMs = section.duration('max_backoff') ?? 300_000;
  if (minBackoffMs >= maxBackoffMs)
    section.fail('auto_auth.method: min_backoff must be less than max_backoff', section.entry('min_backoff'));
  if (section.text('wrap_ttl') !== undefined)
    section.fail('auto_auth.method.wrap_ttl is not supported yet', section.entry('wrap_ttl'));
  return {
    type,
    mountPath: (section.text('mount_path') ?? `auth/${type}`).replace(/^\/+|\/+$/g, ''),
    namespace: section.text('namespace'),
    minBackoffMs,
    maxBackoffMs,
    exitOnError: section.boolean('exit_on_err') ?? false,
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

function readSink(type: string, section: Section): SinkSettings {
  if (type !== 'file')
    section.fail(`unknown sink type "${type}"`, section.entry('type'), 'only "file" is known');
  if (section.text('wrap_ttl') !== undefined || section.text('dh_type') !== undefined)
    section.fail('wrapped or encrypted sinks are not supported yet', section.entry('wrap_ttl'));
  const config = section.section('config');
  const path = config?.text('path');
  if (config === undefined || path === undefined || path === '')
    return section.fail("'path' not specified for file sink", section.entry('config'));
  const mode = config.text('mode');
  return {
    path,
    mode:
      mode === undefined ? 0o640 : mode.startsWith('0') ? (config.integer('mode', 8) ?? 0o640) : Number(mode),
    uid: config.integer('uid'),
    gid: config.integer('gid'),
  };
}

function readTemplateConfig(section: Section | undefined): TemplateConfig {
  const threshold = section?.number('lease_renewal_threshold') ?? 0;
  return {
    exitOnRetryFailure: section?.boolean('exit_on_retry_failure') ?? false,
    staticSecretRenderIntervalMs: section?.duration('static_secret_render_interval') ?? 300_000,
    leaseRenewalThreshold: threshold > 0 && threshold < 1 ? threshold : 0.9,
  };
}

function validated(config: AgentConfig): AgentConfig {
  const fail = (reason: string): never => {
    throw new MeshrootError('bad-agent-config', `error validating configuration: ${reason}`, { exit: 1 });
  };
  if (config.method === undefined) fail('no auto_auth block: nothing to log in with');
  if (config.sinks.length === 0 && config.templates.length === 0)
    fail('auto_auth requires at least one sink or at least one template');
  return config;
}
