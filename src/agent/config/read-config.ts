import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import { parseHcl } from '../../lib/hcl/parse.ts';
import { type HclEntry, HclError, type HclObject } from '../../lib/hcl/tree.ts';
import { readMethod, readSinks } from './auth-stanza.ts';
import type { AgentConfig, LogFileSettings, TemplateConfig } from './config.ts';
import { readEnvTemplates, readExec } from './exec-stanza.ts';
import { checkConnectionFields, readTelemetry } from './lenient-stanzas.ts';
import { listenerWarnings, readCache, readListeners, readProxy } from './listener-stanza.ts';
import { readOnChange } from './on-change-stanza.ts';
import { Section } from './section.ts';
import { readTemplate } from './template-stanza.ts';
import { validConfig } from './valid-config.ts';
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
      hint: 'for example: meshroot agent -config=agent.hcl',
    });
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const sections = await Promise.all(files.map(readSection));
  const stray = sections.flatMap(({ object }) => object.entries.map(({ key }) => key));
  return validConfig(toConfig(sections, env), stray);
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

/** Of these a file has one: of two, somebody would believe in the wrong one. */
const single = ['auto_auth', 'vault', 'cache', 'api_proxy', 'template_config', 'exec'];

function toConfig(sections: readonly Section[], env: Environment): AgentConfig {
  for (const section of sections) {
    checkConnectionFields(section);
    section.onlyOneOf(single);
  }
  const last = <T>(read: (s: Section) => T | undefined): T | undefined =>
    sections.map(read).findLast((v) => v !== undefined);
  const autoAuth = last((s) => s.section('auto_auth'));
  const method = autoAuth === undefined ? undefined : readMethod(autoAuth);
  return {
    vault: readVault(
      last((s) => s.section('vault')),
      env,
      method?.namespace,
    ),
    method,
    sinks: autoAuth === undefined || method === undefined ? [] : readSinks(autoAuth, method, env),
    templates: sections.flatMap((s) => [...s.sections('template').map(readTemplate), ...readEnvTemplates(s)]),
    listeners: sections.flatMap(readListeners),
    proxy: readProxy(
      last((s) => s.section('api_proxy')),
      last((s) => s.section('cache')),
    ),
    hasApiProxy: last((s) => s.section('api_proxy')) !== undefined,
    cache: readCache(last((s) => s.section('cache'))),
    onChange: sections.flatMap(readOnChange),
    exec: readExec(last((s) => s.section('exec'))),
    templateConfig: readTemplateConfig(last((s) => s.section('template_config'))),
    exitAfterAuth: last((s) => s.boolean('exit_after_auth')) ?? false,
    pidFile: last((s) => s.text('pid_file')),
    logLevel: last((s) => s.text('log_level')),
    logFormat: last((s) => s.text('log_format')),
    logFile: readLogFile(logSection(sections, env)),
    warnings: sections.flatMap((s) => [...readTelemetry(s), ...listenerWarnings(s)]),
  };
}

/** Variables of the log's file stand above the configuration; flags come by them. */
const logVariables = {
  log_file: 'VAULT_LOG_FILE',
  log_rotate_bytes: 'VAULT_LOG_ROTATE_BYTES',
  log_rotate_duration: 'VAULT_LOG_ROTATE_DURATION',
  log_rotate_max_files: 'VAULT_LOG_ROTATE_MAX_FILES',
};

/** What is said of the log's file anywhere, as one section. */
function logSection(sections: readonly Section[], env: Environment): Section {
  const entries = Object.entries(logVariables).flatMap(([key, variable]): HclEntry[] => {
    const value = env[variable];
    if (value !== undefined && value !== '') return [{ key, labels: [], value, line: 0, column: 0 }];
    return sections.flatMap((s) => s.entry(key) ?? []).slice(-1);
  });
  return new Section('log settings', '', { entries });
}

function readLogFile(section: Section): LogFileSettings | undefined {
  const path = section.text('log_file');
  if (path === undefined || path === '') return undefined;
  return {
    path,
    rotateBytes: section.integer('log_rotate_bytes') ?? 0,
    rotateMs: section.duration('log_rotate_duration') ?? 86_400_000,
    maxFiles: section.integer('log_rotate_max_files') ?? 0,
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
