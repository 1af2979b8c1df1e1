import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { closeWriters, openOutputPipes } from './output-pipe.ts';
import { groupLives, signalGroup } from './process-group.ts';
import type { Reaper } from './reaper.ts';

export interface ProcessSpec {
  /** argv[0] is an absolute path or is found in env.PATH. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

export interface ContainerExit {
  /** 128 + n for signal n, as container runtimes say it. */
  readonly code: number;
  readonly signal: number | undefined;
  readonly finishedAt: number;
}

export interface ContainerProcess {
  /** Also the id of its process group. */
  readonly pid: number;
  readonly startedAt: number;
  readonly exited: Promise<ContainerExit>;
  /** SIGTERM to the group, SIGKILL after `graceMs`. */
  stop(graceMs: number): Promise<ContainerExit>;
}

/** The gate: nothing runs until a line comes on fd 3, and nothing ever when the parent dies before. */
const gate = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/**
 * Starts a container's process in a group of its own, known to the reaper before its first instruction.
 * When it ends, whatever it left in its group is killed, as the end of a container's first process does.
 */
export async function startProcess(
  spec: ProcessSpec,
  reaper: Reaper,
  clock: Clock,
): Promise<ContainerProcess> {
  const pipes = await openOutputPipes();
  const [stdout, stderr] = pipes;
  const child = spawn('/bin/sh', ['-c', gate, 'sh', ...spec.argv], {
    stdio: ['ignore', stdout.writer, stderr.writer, 'pipe'],
    detached: true,
    env: { ...spec.env },
    cwd: spec.cwd,
  });
  closeWriters(pipes);
  stdout.reader.on('data', (chunk: Buffer) => spec.onOutput('stdout', chunk));
  stderr.reader.on('data', (chunk: Buffer) => spec.onOutput('stderr', chunk));
  const pid = await pidOf(child);
  const stopping = { until: 0 };
  const exited = exitOf(child, [stdout.reader, stderr.reader], pid, reaper, clock, stopping);
  const startGate = child.stdio[3] as Writable;
  startGate.on('error', () => {}); // it died before it was let go
  await reaper.add(pid).catch((error: unknown) => {
    signalGroup(pid, 'SIGKILL'); // nothing may run that would be left behind
    throw error;
  });
  startGate.end('go\n');
  return {
    pid,
    startedAt: clock.now(),
    exited,
    stop: async (graceMs) => {
      stopping.until = clock.now() + graceMs;
      signalGroup(pid, 'SIGTERM');
      const done = new AbortController();
      void clock.sleep(graceMs, done.signal).then(
        () => signalGroup(pid, 'SIGKILL'),
        () => {},
      );
      return await exited.finally(() => done.abort());
    },
  };
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

function exitOf(
  child: ChildProcess,
  output: readonly Readable[],
  pid: number,
  reaper: Reaper,
  clock: Clock,
  stopping: { readonly until: number },
): Promise<ContainerExit> {
  return new Promise((resolve) => {
    child.once('exit', async (code, signalName) => {
      const finishedAt = clock.now();
      // `sh -c 'a && b'` dies of SIGTERM before b has cleaned up: while it is being stopped, b gets its time.
      while (clock.now() < stopping.until && groupLives(pid)) await clock.sleep(10);
      signalGroup(pid, 'SIGKILL');
      await drained(output, clock);
      for (const stream of output) stream.destroy();
      reaper.remove(pid);
      const signal = signalName === null ? undefined : constants.signals[signalName];
      resolve({ code: code ?? 128 + (signal ?? 0), signal, finishedAt });
    });
  });
}

/** The last lines of output; bounded, since a process that left the group may hold the pipe for ever. */
async function drained(streams: readonly Readable[], clock: Clock): Promise<void> {
  const open = streams.filter((stream) => !stream.readableEnded && !stream.destroyed);
  const ends = open.map((stream) => new Promise<void>((resolve) => stream.once('close', () => resolve())));
  const stop = new AbortController();
  await Promise.race([Promise.all(ends), clock.sleep(1000, stop.signal).catch(() => {})]);
  stop.abort();
}
