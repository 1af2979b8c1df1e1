import { Writable } from 'node:stream';
import { agentLog, type Level, parseLevel } from '../agent/agent-log.ts';
import type { AgentConfig } from '../agent/config/config.ts';
import { readConfig } from '../agent/config/read-config.ts';
import { hintField } from '../agent/hint-field.ts';
import { runAgent } from '../agent/run-agent.ts';
import { gatewayVerifier } from '../agent/sets/gateway.ts';
import { istioCaVerifier } from '../agent/sets/istio-ca.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Io } from './io.ts';

export interface AgentFlags {
  readonly config: readonly string[];
  readonly exitAfterAuth?: boolean | string;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly logFile?: string;
  readonly logRotateBytes?: string;
  readonly logRotateDuration?: string;
  readonly logRotateMaxFiles?: string;
  readonly address?: string;
  readonly caCert?: string;
  readonly caPath?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  readonly tlsSkipVerify?: boolean | string;
  readonly namespace?: string;
}

/** Flags win over the environment, which wins over the configuration. */
const variables = {
  address: 'VAULT_AGENT_ADDR',
  caCert: 'VAULT_CACERT',
  caPath: 'VAULT_CAPATH',
  clientCert: 'VAULT_CLIENT_CERT',
  clientKey: 'VAULT_CLIENT_KEY',
  tlsServerName: 'VAULT_TLS_SERVER_NAME',
  tlsSkipVerify: 'VAULT_SKIP_VERIFY',
  namespace: 'VAULT_NAMESPACE',
  logFile: 'VAULT_LOG_FILE',
  logRotateBytes: 'VAULT_LOG_ROTATE_BYTES',
  logRotateDuration: 'VAULT_LOG_ROTATE_DURATION',
  logRotateMaxFiles: 'VAULT_LOG_ROTATE_MAX_FILES',
} as const;

/** The environment as the configuration is read under it: OpenBao's names count before Vault's, flags before both. */
export function agentEnvironment(env: Io['env'], flags: AgentFlags): Io['env'] {
  const ofBao = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith('BAO_') && value !== '' ? [[name.replace(/^BAO_/, 'VAULT_'), value] as const] : [],
  );
  const given = Object.entries(variables).flatMap(([flag, variable]) => {
    const value = flags[flag as keyof typeof variables];
    return value === undefined ? [] : [[variable, String(value)]];
  });
  return { ...env, ...Object.fromEntries([...ofBao, ...given]) };
}

/** The agent as a process: flags over environment over configuration, banner, signals, exit code. */
export async function serveAgent(flags: AgentFlags, io: Io): Promise<void> {
  const env = agentEnvironment(io.env, flags);
  const config = withFlags(await readConfig(flags.config, env), flags);
  let level = levelOf(flags, env, config);
  const format = formatOf(flags, env, config);
  const out = await logOutput(config, io);
  const log = agentLog({ out: out.stream, clock: systemClock, format, level: () => level });
  io.stdout.write(banner(level));
  let reloadFiles = async (): Promise<void> => {};
  const stopping = (): void => void io.stdout.write('==> Vault agent shutdown triggered\n');
  io.signal.addEventListener('abort', stopping, { once: true });
  const reload = (): void => {
    io.stdout.write('==> Vault agent config reload triggered\n');
    readConfig(flags.config, env)
      .then((fresh) => {
        level = levelOf(flags, env, fresh);
        out.reopen();
        return reloadFiles();
      })
      .then(() => {
        const what =
          'reloaded: log level, log file and certificates are taken over, templates and login are not';
        log.info(what, { level });
      })
      .catch((error: unknown) => log.error('not reloaded', { error: messageOf(error) }));
  };
  process.on('SIGHUP', reload);
  try {
    io.exitCode = await runAgent({
      config,
      env,
      clock: systemClock,
      random: Math.random,
      log,
      verifiers: [istioCaVerifier, gatewayVerifier],
      signal: io.signal,
      onReloadable: (files) => {
        reloadFiles = files;
      },
    });
  } catch (error) {
    const where = /^(template|set)-/.test(codeOf(error) ?? '') ? 'template server: ' : '';
    log.error('runtime error encountered', {
      error: where + messageOf(error),
      exitCode: 1,
      ...hintField(error),
    });
    io.stderr.write('Error encountered during run, refer to logs for more details.\n');
    io.exitCode = 1; // the log has the reason
  } finally {
    process.off('SIGHUP', reload);
    io.signal.removeEventListener('abort', stopping);
  }
}

function withFlags(config: AgentConfig, flags: AgentFlags): AgentConfig {
  if (flags.exitAfterAuth === undefined) return config;
  return { ...config, exitAfterAuth: flags.exitAfterAuth !== 'false' };
}

interface LogOutput {
  readonly stream: Io['stderr'];
  /** Somebody else may have moved the file. */
  readonly reopen: () => void;
}

/** Standard error, and the log file when there is one. */
async function logOutput(config: AgentConfig, io: Io): Promise<LogOutput> {
  if (config.logFile === undefined) return { stream: io.stderr, reopen: () => {} };
  const { LogFile } = await import('../agent/log-file.ts');
  const file = new LogFile(config.logFile, systemClock);
  const stream = new Writable({
    write(chunk, _encoding, done) {
      file.write(String(chunk));
      io.stderr.write(chunk, done);
    },
  });
  return { stream, reopen: () => file.reopen() };
}

function levelOf(flags: AgentFlags, env: Io['env'], config: AgentConfig): Level {
  return parseLevel(set(flags.logLevel) ?? set(env.VAULT_LOG_LEVEL) ?? set(config.logLevel) ?? 'info');
}

function formatOf(flags: AgentFlags, env: Io['env'], config: AgentConfig): 'standard' | 'json' {
  const format = set(flags.logFormat) ?? set(env.VAULT_LOG_FORMAT) ?? set(config.logFormat) ?? 'standard';
  if (format === 'standard' || format === 'json') return format;
  throw new MeshrootError('bad-log-format', `unknown log format: ${format}`, {
    exit: 1,
    hint: 'one of standard, json',
  });
}

const set = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function banner(level: Level): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Cgo', 'disabled'],
    ['Log Level', level],
    ['Version', `meshroot agent, Node ${process.versions.node}`],
  ];
  const rows = facts.map(([name, value]) => `${name.padStart(24)}: ${value}`);
  return `==> Vault agent started! Log data will stream in below:\n\n==> Vault agent configuration:\n\n${rows.join('\n')}\n\n`;
}
