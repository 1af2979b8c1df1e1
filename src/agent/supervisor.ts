import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type Running, startCommand } from './command-line.ts';
import type { ExecSettings } from './config/config.ts';

/** Changes within this time cause one restart, in milliseconds. */
const debounceMs = 2000;
/** Exit code for a child that a signal ended, as upstream (-1 of Go's os/exec). */
const killed = 255;
/** How long a child may take to stop before it is killed, in milliseconds. */
const patienceMs = 30_000;

export interface SupervisorOptions {
  readonly settings: ExecSettings;
  /** Names of the variables that must be known before the child starts. */
  readonly names: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once, when the child ended by itself. */
  readonly onExit: (code: number) => void;
  readonly onError: (error: MeshrootError) => void;
}

/**
 * Runs one program with secrets in its environment and restarts it when they change: `exec` with `env_template`, as
 * Vault Agent's process supervisor mode.
 */
export class Supervisor {
  readonly #o: SupervisorOptions;
  readonly #values = new Map<string, string>();
  readonly #stop = new AbortController();
  #running: Running | undefined;
  #restart: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#o = options;
  }

  /** Takes a rendered value; starts the child with the last missing one, restarts it when a value changed. */
  set(name: string, value: string): void {
    if (this.#values.get(name) === value || this.#stop.signal.aborted) return;
    this.#values.set(name, value);
    if (this.#o.names.some((n) => !this.#values.has(n))) return;
    if (this.#running === undefined) this.#start();
    else if (this.#o.settings.restartOnChange) this.#restart ??= this.#restartSoon();
    else
      this.#o.log.info('a secret changed, the process is not restarted (restart_on_secret_changes = never)');
  }

  /** Ends the child in good order. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#end();
  }

  async #restartSoon(): Promise<void> {
    await this.#o.clock.sleep(debounceMs, this.#stop.signal).catch(() => {});
    this.#restart = undefined;
    if (this.#stop.signal.aborted) return;
    this.#o.log.info('environment variables changed, restarting process');
    await this.#end();
    if (!this.#stop.signal.aborted) this.#start();
  }

  #start(): void {
    const { settings, env, log, onExit, onError } = this.#o;
    const [program = ''] = settings.command;
    log.info('starting process', { command: program });
    const started = startCommand(settings.command, {
      stdio: 'inherit',
      env: { ...env, ...Object.fromEntries(this.#values) },
    });
    const { child } = started;
    this.#running = started;
    child.on('error', (error) => {
      const reason = `unable to start "${program}": ${error.message}`;
      onError(new MeshrootError('exec-start', reason, { exit: 1, cause: error }));
    });
    child.on('exit', (code, signal) => {
      if (this.#running !== started) return; // it was told to
      log.info('process exited', { code: code ?? signal });
      this.#running = undefined;
      this.#stop.abort();
      onExit(code ?? killed);
    });
  }

  async #end(): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.child.exitCode !== null || running.child.pid === undefined) return;
    this.#running = undefined;
    const gone = new Promise<void>((resolve) => running.child.once('exit', () => resolve()));
    running.kill(this.#o.settings.stopSignal);
    const patience = new AbortController();
    const timer = this.#o.clock
      .sleep(patienceMs, patience.signal)
      .then(() => running.kill('SIGKILL'))
      .catch(() => {});
    await gone;
    patience.abort();
    await timer;
  }
}
