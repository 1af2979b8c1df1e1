import { readFileSync } from 'node:fs';

/** Clock ticks per second in /proc: 100 on every Linux that Node runs on. */
const ticks = 100;

/** CPU time of a living process with all its threads, milliseconds; undefined where there is no /proc. */
export function cpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the program's name stands in parentheses and may hold spaces
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks;
  } catch {
    return undefined;
  }
}

/** Resident memory now, MB (10^6 bytes, as the rest of the table is decimal). */
export const rssMb = (pid: number): number | undefined => statusMb(pid, 'VmRSS');

/** The most that it ever had. */
export const peakRssMb = (pid: number): number | undefined => statusMb(pid, 'VmHWM');

function statusMb(pid: number, field: string): number | undefined {
  try {
    const [, kib] =
      new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? undefined : (Number(kib) * 1024) / 1e6;
  } catch {
    return undefined;
  }
}
