import { agentLog, type Level, parseLevel } from '../agent/agent-log.ts';
import type { AgentConfig } from '../agent/config/config.ts';
import { readConfig } from '../agent/config/read-config.ts';
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
}

/** The agent as a process: flags over environment over configuration, banner, signals, exit code. */
export async function serveAgent(flags: AgentFlags, io: Io): Promise<void> {
  const config = withFlags(await readConfig(flags.config, io.env), flags);
  let level = levelOf(flags, io, config);
  const format = formatOf(flags, io, config);
  const log = agentLog({ out: io.stderr, clock: systemClock, format, level: () => level });
  io.stdout.write(banner(level));
  const reload = (): void => {
    readConfig(flags.config, io.env)
      .then((fresh) => {
        level = levelOf(flags, io, fresh);
        log.info('reloaded: the log level is taken over, templates and login are not', { level });
      })
      .catch((error: unknown) => log.error('not reloaded', { error: messageOf(error) }));
  };
  process.on('SIGHUP', reload);
  try {
    await runAgent({
      config,
      env: io.env,
      clock: systemClock,
      random: Math.random,
      log,
      verifiers: [istioCaVerifier, gatewayVerifier],
      signal: io.signal,
    });
  } catch (error) {
    const where = /^(template|set)-/.test(codeOf(error) ?? '') ? 'template server: ' : '';
    log.error('runtime error encountered', { error: where + messageOf(error), exitCode: 1 });
    io.stderr.write('Error encountered during run, refer to logs for more details.\n');
    io.exitCode = 1; // the log has the reason
  } finally {
    process.off('SIGHUP', reload);
  }
}

function withFlags(config: AgentConfig, flags: AgentFlags): AgentConfig {
  if (flags.exitAfterAuth === undefined) return config;
  return { ...config, exitAfterAuth: flags.exitAfterAuth !== 'false' };
}

function levelOf(flags: AgentFlags, io: Io, config: AgentConfig): Level {
  return parseLevel(set(flags.logLevel) ?? set(io.env.VAULT_LOG_LEVEL) ?? set(config.logLevel) ?? 'info');
}

function formatOf(flags: AgentFlags, io: Io, config: AgentConfig): 'standard' | 'json' {
  const format = set(flags.logFormat) ?? set(io.env.VAULT_LOG_FORMAT) ?? set(config.logFormat) ?? 'standard';
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
