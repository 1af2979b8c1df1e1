import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Program {
  readonly pid: number;
  /** The end of what it wrote. */
  log(): string;
  /** Resolves when `probe` says true; rejects when the program ends before, or after 30 s. */
  until(probe: () => Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A fresh process with an environment of its own. */
export function start(
  command: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Program {
  const [file = '', ...args] = command;
  const env = { PATH: process.env.PATH ?? '', HOME: options.cwd, ...options.env };
  const child = spawn(file, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      text = (text + part.toString()).slice(-4000);
    });
  }
  child.on('error', (error) => {
    text += error.message;
  });
  const ended = once(child, 'close').finally(() => running.delete(child));
  ended.catch(() => {}); // told by `until`
  const isOver = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    pid: child.pid ?? 0,
    log: () => text,
    until: async (probe) => {
      const end = performance.now() + 30_000;
      while (!(await probe().catch(() => false))) {
        if (isOver() || performance.now() > end) throw new Error(`${file} ${args[0]} did not start: ${text}`);
        await delay(20);
      }
    },
    stop: async () => {
      if (isOver()) return;
      child.kill('SIGTERM');
      const patience = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended.catch(() => {});
      clearTimeout(patience);
    },
  };
}

/** Ports that were free a moment ago, all different: for programs that cannot be asked which one they took. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
