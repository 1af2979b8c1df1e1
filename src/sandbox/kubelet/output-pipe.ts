import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface OutputPipe {
  readonly reader: Socket;
  /** File descriptor for the child; to be closed here once it has it. */
  readonly writer: number;
}

/**
 * Real pipes for stdout and stderr. What Node makes of `stdio: 'pipe'` are sockets, and those cannot be opened again as
 * /dev/stdout, which shell scripts and Go loggers (istiod's) do: their output would be lost.
 */
export async function openOutputPipes(): Promise<readonly [OutputPipe, OutputPipe]> {
  const folder = await mkdtemp(join(tmpdir(), 'meshroot-io-'));
  try {
    const names = [join(folder, 'out'), join(folder, 'err')] as const;
    await promisify(execFile)('mkfifo', ['-m', '600', ...names]);
    return [open(names[0]), open(names[1])];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function open(name: string): OutputPipe {
  const fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK); // does not wait for a writer
  const writer = openSync(name, constants.O_WRONLY);
  return { reader: new Socket({ fd, readable: true, writable: false }), writer };
}

export function closeWriters(pipes: readonly OutputPipe[]): void {
  for (const pipe of pipes) closeSync(pipe.writer);
}
