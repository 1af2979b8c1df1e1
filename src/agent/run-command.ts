import { spawn } from 'node:child_process';
import { MeshrootError } from '../lib/errors.ts';

/**
 * Runs a template's command: a text through the shell, a list as it is.
 * @throws MeshrootError `template-command` when it fails or does not end in time
 */
export function runTemplateCommand(command: string | readonly string[], timeoutMs: number): Promise<void> {
  const [program = '', ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(
        new MeshrootError(
          'template-command',
          `failed to execute command ${JSON.stringify(command)}: ${reason}`,
          {
            exit: 1,
          },
        ),
      );
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], timeout: timeoutMs });
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        fail(
          signal === null
            ? `exit status ${code}`
            : `command did not exit within ${timeoutMs / 1000}s (${signal})`,
        );
    });
  });
}
