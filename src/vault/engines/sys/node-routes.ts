import os from 'node:os';
import type { Context, Route } from '../../core/backend.ts';
import type { Result } from '../../core/request.ts';
import { buildDate, serverVersion } from '../../core/server-version.ts';
import { versionPrefix } from '../../core/version-history.ts';
import { diskUsage } from './disk-usage.ts';

/** The one node that there is, the machine below it, and the versions that have opened the store. */
export function nodeRoutes(): Route[] {
  return [
    { path: 'ha-status', operations: { read: members } },
    { path: 'host-info', operations: { read: host } },
    { path: 'version-history', operations: { list: versions } },
  ];
}

function members({ services }: Context): Result {
  const node = {
    hostname: os.hostname(),
    api_address: services.apiAddress(),
    cluster_address: '',
    active_node: true,
    last_echo: null,
    version: serverVersion,
  };
  return { data: { nodes: [node] }, flatten: true };
}

function host({ clock }: Context): Result {
  const [total, free] = [os.totalmem(), os.freemem()];
  return {
    data: {
      timestamp: new Date(clock.now()).toISOString(),
      cpu: os.cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed, cores: 1 })),
      cpu_times: os.cpus().map(({ times }, i) => ({ cpu: `cpu${i}`, ...inSeconds(times) })),
      disk: diskUsage(),
      host: {
        hostname: os.hostname(),
        os: os.platform(),
        kernelArch: os.machine(),
        kernelVersion: os.release(),
        uptime: Math.floor(os.uptime()),
        bootTime: Math.floor(clock.now() / 1000 - os.uptime()),
      },
      memory: { total, available: free, free, used: total - free, usedPercent: (1 - free / total) * 100 },
    },
  };
}

const inSeconds = ({ user, sys, idle, nice, irq }: os.CpuInfo['times']): Record<string, number> => ({
  user: user / 1000,
  system: sys / 1000,
  idle: idle / 1000,
  nice: nice / 1000,
  irq: irq / 1000,
});

function versions({ transaction }: Context): Result {
  const known = transaction
    .list(versionPrefix)
    .map((version) => ({ version, installed: transaction.get<number>(versionPrefix + version) ?? 0 }))
    .sort((a, b) => a.installed - b.installed);
  const info = known.map(({ version, installed }, i) => [
    version,
    {
      timestamp_installed: new Date(installed).toISOString(),
      build_date: buildDate,
      commit_date: buildDate,
      previous_version: known[i - 1]?.version ?? null,
    },
  ]);
  return { data: { keys: known.map(({ version }) => version), key_info: Object.fromEntries(info) } };
}
