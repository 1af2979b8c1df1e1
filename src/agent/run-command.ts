import { MeshrootError } from '../lib/errors.ts';
import { startCommand } from './command-line.ts';

export interface CommandOptions {
  /** After which it is told to end; 0 for never. */
  readonly timeoutMs: number;
  /** Undefined: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** After which one that does not heed it is killed: it must not hold up the agent. */
  readonly patienceMs?: number;
}

/**
 * Runs a template's command: a text through the shell, a list as it is.
 * @throws MeshrootError `template-command` when it fails or does not end in time
 */
export function runTemplateCommand(
  command: string | readonly string[],
  { timeoutMs, env, patienceMs = 5000 }: CommandOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      const message = `failed to execute command ${JSON.stringify(command)}: ${reason}`;
      reject(new MeshrootError('template-command', message, { exit: 1 }));
    };
    const { child, kill } = startCommand(command, {
      stdio: ['ignore', 'inherit', 'inherit'],
      ...(env === undefined ? {} : { env }),
    });
    let late = false;
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, signal: NodeJS.Signals): void => {
      timers.push(
        setTimeout(() => {
          late = true;
          kill(signal);
        }, ms),
      );
    };
    if (timeoutMs > 0) {
      after(timeoutMs, 'SIGTERM');
      after(timeoutMs + patienceMs, 'SIGKILL');
    }
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      if (late) fail(`command did not exit within ${timeoutMs / 1000}s`);
      else if (code === 0) resolve();
      else fail(signal === null ? `exit status ${code}` : `ended by ${signal}`);
    });
  });
}
