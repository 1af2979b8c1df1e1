import { readFileSync, type StatsFs, statfsSync } from 'node:fs';
import type { Fields } from '../../core/fields.ts';

/** How full the disks are; empty where that cannot be seen. */
export function diskUsage(): Fields[] {
  return disks().flatMap(({ path, fstype }) => {
    try {
      return [usageOf(path, fstype, statfsSync(path))];
    } catch {
      return []; // taken away meanwhile, or nothing that this process may see
    }
  });
}

/** Linux says what is mounted from a device, once each; elsewhere the root has to do. */
function disks(): { readonly path: string; readonly fstype: string }[] {
  let table: string;
  try {
    table = readFileSync('/proc/mounts', 'utf8');
  } catch {
    return [{ path: '/', fstype: '' }];
  }
  const byDevice = new Map<string, { path: string; fstype: string }>();
  for (const line of table.split('\n')) {
    const [device = '', path = '', fstype = ''] = line.split(' ');
    if (device.startsWith('/dev/') && !byDevice.has(device)) byDevice.set(device, { path, fstype });
  }
  return [...byDevice.values()];
}

/** Names and units of upstream: bytes, percents. */
function usageOf(
  path: string,
  fstype: string,
  { bsize, blocks, bavail, bfree, files, ffree }: StatsFs,
): Fields {
  const [total, free, used] = [blocks * bsize, bavail * bsize, (blocks - bfree) * bsize];
  return {
    path,
    fstype,
    total,
    free,
    used,
    usedPercent: percent(used, used + free),
    inodesTotal: files,
    inodesUsed: files - ffree,
    inodesFree: ffree,
    inodesUsedPercent: percent(files - ffree, files),
  };
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : (100 * part) / whole);
