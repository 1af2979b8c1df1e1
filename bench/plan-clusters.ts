/**
 * How long `meshroot plan` takes and how much memory it needs for 10, 100 and 1,000 clusters, before anything is there
 * and after `apply`: node --import tsx bench/plan-clusters.ts [COUNT...]
 * The store and the API server are ours; all clusters of the file are that one API server, by mounts of their own.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { meshroot } from '../src/up/programs.ts';
import { startMeshWorld } from '../test/support/mesh-world.ts';

interface Figures {
  readonly seconds: number;
  /** Of the processor, user and system, as Linux counts it in hundredths: what a machine without other work would take. */
  readonly cpu: number;
  /** Highest resident memory, as Linux counts it. */
  readonly megabytes: number;
  readonly code: number | null;
}

async function measure(cwd: string, env: Record<string, string>, args: readonly string[]): Promise<Figures> {
  const [program = '', ...rest] = meshroot;
  const start = performance.now();
  const child = spawn(program, [...rest, ...args], {
    cwd,
    env: { ...env, PATH: process.env.PATH ?? '', HOME: cwd },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  let cpu = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      cpu = (Number(stat[11]) + Number(stat[12])) / 100;
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // not Linux, or it has ended
    }
  }, 20);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(look);
  return { seconds: (performance.now() - start) / 1000, cpu, megabytes: Math.round(peak / 1024), code };
}

const counts = process.argv.slice(2).map(Number);
for (const count of counts.length === 0 ? [10, 100, 1000] : counts) {
  const world = await startMeshWorld();
  const text = `apiVersion: meshroot/v1
kind: Mesh
vault: { address: "${world.vaultAddress}" }
clusters:
  - name: "edge-{n}"
    each: { from: 1, to: ${count} }
    kubeconfig: eu.kubeconfig
`;
  writeFileSync(join(world.dir, 'mesh.yaml'), text);
  const steps = {
    'plan (empty)': ['plan', '--json'],
    apply: ['apply', '--yes', '--json'],
    'plan (done)': ['plan', '--json'],
  };
  for (const [name, args] of Object.entries(steps)) {
    const { seconds, cpu, megabytes, code } = await measure(world.dir, world.env, args);
    const row = [
      `${count} clusters`.padEnd(16),
      name.padEnd(14),
      `${seconds.toFixed(1)}s`,
      `cpu ${cpu.toFixed(1)}s`,
      `${megabytes} MB`,
      `exit ${code}`,
    ];
    process.stdout.write(`${row.join('  ')}\n`);
  }
  await world.stop();
}
