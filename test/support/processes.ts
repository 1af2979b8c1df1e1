import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Whether this system shows its processes as files (Linux); elsewhere tests that look for leftovers are skipped. */
export const canSeeProcesses = process.platform === 'linux';

/** Ids of living processes that work in `folder` or were told about it. */
export function processesAround(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => cwdOf(pid).startsWith(folder) || commandOf(pid).includes(folder))
    .map(Number);
}

function cwdOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // it ended while we looked, or is a zombie
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
