// npm run test:rotation [-- ROTATIONS]: readers open the four files of a set again and again while it is rotated. A reader
// that resolves `..data` once, or looks at it before and after, must never see files of two sets.
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AtomicSet, type SetFile } from '../../src/agent/sets/atomic-set.ts';
import { systemClock } from '../../src/lib/clock.ts';

const names = ['ca-key.pem', 'ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'];

interface Seen {
  resolved: number;
  checked: number;
  retried: number;
  mixed: number;
  /** Of readers that open four paths one after the other and look at nothing else: told, not judged. */
  naive: number;
}

function readSet(folder: string): string[] | undefined {
  try {
    return names.map((name) => readFileSync(join(folder, name), 'utf8').slice(0, 12));
  } catch {
    return undefined; // the set was taken away in between: begin again
  }
}

function reader(folder: string): void {
  const seen: Seen = { resolved: 0, checked: 0, retried: 0, mixed: 0, naive: 0 };
  let over = false;
  process.on('message', () => {
    over = true;
  });
  const isMixed = (set: readonly string[]): boolean => new Set(set).size !== 1;
  const look = (): void => {
    for (let i = 0; i < 200; i++) {
      const before = readlinkSync(join(folder, '..data'));
      const resolved = readSet(join(folder, before));
      if (resolved === undefined) seen.retried++;
      else if (isMixed(resolved)) seen.mixed++;
      else seen.resolved++;
      const start = readlinkSync(join(folder, '..data'));
      const plain = readSet(folder);
      const unchanged = readlinkSync(join(folder, '..data')) === start;
      if (plain === undefined || !unchanged) seen.retried++;
      else if (isMixed(plain)) seen.mixed++;
      else seen.checked++;
      if (plain !== undefined && isMixed(plain)) seen.naive++;
    }
    if (!over) return void setImmediate(look);
    process.send?.(seen, () => process.disconnect());
  };
  look();
}

async function writer(rotations: number): Promise<void> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'rotation-'));
  const set = new AtomicSet(
    folder,
    { name: 'same', files: names, verify: async () => ({ refusals: [], facts: {} }) },
    systemClock,
  );
  const rotate = (i: number): Promise<unknown> => {
    const data = Buffer.from(String(i).padStart(12, '0').padEnd(2000, 'x'));
    return set.deliver(new Map<string, SetFile>(names.map((name) => [name, { data, mode: 0o640 }])));
  };
  try {
    await rotate(0);
    const child = fork(fileURLToPath(import.meta.url), ['read', folder]);
    const result = new Promise<Seen>((resolve) => child.once('message', (seen) => resolve(seen as Seen)));
    for (let i = 1; i <= rotations; i++) await rotate(i);
    child.send('over');
    const seen = await result;
    process.stdout.write(`${JSON.stringify({ rotations, ...seen })}\n`);
    process.exitCode = seen.mixed === 0 && seen.resolved > 0 && seen.checked > 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first = '10000', folder = ''] = process.argv.slice(2);
if (first === 'read') reader(folder);
else await writer(Number(first));
