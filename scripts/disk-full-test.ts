/**
 * Fills the disk under a running store (a small tmpfs, so it needs Linux and root): the write that does not fit is refused,
 * the store seals itself and says why, and with room again everything that was acknowledged is there.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoreProcess } from './store-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'disk-full-'));

function mountSmall(): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', folder], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}

const cannot = mountSmall();
if (cannot !== undefined) process.stdout.write(`skipped: no small disk can be mounted (${cannot})\n`);
else {
  const store = new StoreProcess(folder);
  try {
    const { client, keys } = await store.initialise();
    const acknowledged = new Map<string, string>();
    let refused = '';
    for (let i = 0; refused === '' && i < 200; i++) {
      const value = randomBytes(48 * 1024).toString('base64');
      const { status } = await client.request('PUT', `kv/${i}`, { value });
      if (status === 204) acknowledged.set(`kv/${i}`, value);
      else refused = `kv/${i}`;
    }
    if (refused === '') throw new Error('the disk was never full');
    const { body } = await client.request('GET', 'sys/seal-status');
    if ((body as { sealed: boolean }).sealed !== true) throw new Error('the store did not seal itself');
    execFileSync('mount', ['-o', 'remount,size=64m', folder]);
    await client.write('sys/unseal', { key: keys.key });
    for (const [path, value] of acknowledged) {
      if ((await client.read(path))?.data?.value !== value)
        throw new Error(`${path} was acknowledged and is lost`);
    }
    if ((await client.read(refused)) !== undefined) throw new Error(`${refused} was refused and is there`);
    await client.write(refused, { value: 'fits now' });
    process.stdout.write(
      `disk full: ${acknowledged.size} acknowledged changes there, the refused one is not, writes go on\n`,
    );
  } finally {
    store.kill('SIGKILL');
    await store.gone();
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}
