import { mkdir } from 'node:fs/promises';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { type Child, type ChildRegistry, lastLines, startChild } from './child.ts';

export interface RealProgramOptions {
  /** Path of the binary. */
  readonly program: string;
  /** Where in the file system this part lives; made when absent. */
  readonly dir: string;
  readonly registry: ChildRegistry;
  readonly env: Record<string, string>;
  readonly clock: Clock;
}

export interface RealEtcd {
  readonly url: string;
  stop(): Promise<void>;
}

/** How long etcd or an API server may take from exec to ready, milliseconds. */
const patience = 60_000;

/** A real etcd with one member on loopback, its data in `dir`. @throws MeshrootError `part-not-started` */
export async function startRealEtcd(
  options: RealProgramOptions & { readonly ports: readonly [client: number, peer: number] },
): Promise<RealEtcd> {
  const { program, dir, ports } = options;
  const [url, peer] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const child = await startRealProgram('etcd', options, [
    program,
    '--data-dir',
    dir,
    '--listen-client-urls',
    url,
    '--advertise-client-urls',
    url,
    '--listen-peer-urls',
    peer,
    '--initial-advertise-peer-urls',
    peer,
    '--initial-cluster',
    `default=${peer}`,
    '--unsafe-no-fsync', // a cluster of `up` lives as long as `up`
  ]);
  await untilReady('etcd', child, options.clock, async () => (await fetch(`${url}/health`)).ok);
  return { url, stop: () => child.stop('SIGTERM') };
}

/** Its log is `DIR.log`. */
export function startRealProgram(
  part: string,
  { dir, registry, env }: RealProgramOptions,
  command: readonly string[],
): Promise<Child> {
  return startChild(command, { env, registry, cwd: dir, logFile: `${dir}-${part}.log` });
}

/** Asks until it is; @throws MeshrootError `part-not-started` with the last line of its log */
export async function untilReady(
  part: string,
  child: Child,
  clock: Clock,
  ask: () => Promise<boolean>,
): Promise<void> {
  const until = clock.now() + patience;
  let ended: number | string | undefined;
  void child.exited.then((code) => {
    ended = code;
  });
  while (!(await ask().catch(() => false))) {
    if (ended === undefined && clock.now() < until) {
      await clock.sleep(100);
      continue;
    }
    const how = ended === undefined ? 'is not ready after a minute' : `ended with ${ended}`;
    throw new MeshrootError('part-not-started', `${part} ${how}: ${await lastLines(child.logFile, 1)}`, {
      hint: `its log: ${child.logFile}`,
    });
  }
}
