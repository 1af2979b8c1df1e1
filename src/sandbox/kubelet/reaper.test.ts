import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { startProcess } from './container-process.ts';
import { startReaper } from './reaper.ts';

const linux = existsSync('/proc/self/stat');

/** Processes of a group that still run, by /proc; zombies do not count. */
async function members(group: number): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [state, , pgid] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (Number(pgid) === group && state !== 'Z') found.push(pid);
  }
  return found;
}

const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);

/** A parent with one container that ignores SIGTERM and has a child of its own; prints its group and its reaper. */
const parentScript = `
import { systemClock } from ${here('../../lib/clock.ts')};
import { startProcess } from ${here('./container-process.ts')};
import { startReaper } from ${here('./reaper.ts')};
const script = "trap '' TERM; sleep 300 & echo up; while :; do sleep 1; done";
const reaper = startReaper();
const onOutput = () => console.log(container.pid);
const spec = { argv: ['/bin/sh', '-c', script], env: { PATH: process.env.PATH }, cwd: '/', onOutput };
const container = await startProcess(spec, reaper, systemClock);
`;

test.runIf(linux)('a parent that is killed with SIGKILL leaves no process of its containers', async () => {
  const args = ['--import', 'tsx', '--input-type=module', '-e', parentScript];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await createInterface(parent.stdout)[Symbol.asyncIterator]().next()).value.split(' ');
  const group = Number(line);
  expect((await members(group)).length).toBeGreaterThan(1);
  parent.kill('SIGKILL');
  await expect.poll(() => members(group), { timeout: 12_000, interval: 100 }).toEqual([]);
});

test('what was removed is left alone, what is still there at the end is ended', async () => {
  const reaper = startReaper();
  const spec = { env: { PATH: '/usr/bin:/bin' }, cwd: '/', onOutput: () => {} };
  const kept = await startProcess({ ...spec, argv: ['sleep', '300'] }, reaper, systemClock);
  const ended = await startProcess({ ...spec, argv: ['sleep', '300'] }, reaper, systemClock);
  reaper.remove(kept.pid);
  await reaper.close();
  expect(await ended.exited).toMatchObject({ code: 143, signal: 15 });
  expect(() => process.kill(kept.pid, 0)).not.toThrow();
  await kept.stop(0);
});

test('nothing runs when the reaper cannot be told', async () => {
  const reaper = startReaper();
  await reaper.close();
  let ran = false;
  const spec = {
    argv: ['echo', 'ran'],
    env: { PATH: '/bin:/usr/bin' },
    cwd: '/',
    onOutput: () => {
      ran = true;
    },
  };
  await expect(startProcess(spec, reaper, systemClock)).rejects.toThrow();
  expect(ran).toBe(false);
});
