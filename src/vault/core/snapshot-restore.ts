import { createHash, timingSafeEqual } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../lib/errors.ts';
import type { Barrier } from './barrier.ts';
import type { PhysicalEntry } from './physical.ts';
import { type Refusal, Refusal as RefusalError, refuse } from './refusal.ts';
import { frameBytes, type SnapshotMeta, sealedSumPath, snapshotVersion, sumsText } from './snapshot-save.ts';
import { TarReader } from './tar.ts';

/** A snapshot that was received whole and found good; it waits on disk. */
export interface StagedSnapshot {
  readonly meta: SnapshotMeta;
  /** Read while the store takes them over. */
  entries(): Iterable<PhysicalEntry>;
  /** Removes what waited. */
  discard(): void;
}

export interface StageOptions {
  /** Of the store that it is for. */
  readonly barrier: Barrier;
  /** Takes that of another store, too. */
  readonly force: boolean;
  readonly folder: string | undefined;
}

const maxSmallFile = 64 * 1024;

/**
 * Receives and checks a snapshot; the store is not touched.
 * @throws Refusal 400 for what breaks off, was changed, is of a newer version or of another store
 */
export async function stageSnapshot(
  upload: AsyncIterable<Uint8Array>,
  { barrier, force, folder }: StageOptions,
): Promise<StagedSnapshot> {
  const place = mkdtempSync(join(folder ?? tmpdir(), 'restore-'));
  const file = join(place, 'state.bin');
  const discard = (): void => rmSync(place, { recursive: true, force: true });
  try {
    const { meta, sums, sealed, found } = await receive(upload, file);
    if (!timingSafeEqual(sha(sums), sha(found)))
      throw bad('its checksum is wrong: it was changed or damaged');
    if (!force && !isOurs(barrier, sealed, sums)) throw foreign();
    return { meta, entries: () => entriesOf(file), discard };
  } catch (error) {
    discard();
    if (error instanceof RefusalError) throw error;
    throw bad(messageOf(error));
  }
}

interface Received {
  readonly meta: SnapshotMeta;
  readonly sums: string;
  readonly sealed: Buffer;
  /** The sums of what really came. */
  readonly found: string;
}

async function receive(upload: AsyncIterable<Uint8Array>, file: string): Promise<Received> {
  const reader = new TarReader(unzipped(upload));
  const metaText = await small(reader, 'meta.json');
  const meta = checkedMeta(metaText);
  const state = await expect(reader, 'state.bin');
  const sum = createHash('sha256');
  const fd = openSync(file, 'wx', 0o600);
  try {
    for await (const piece of reader.body(state)) {
      sum.update(piece);
      for (let done = 0; done < piece.length; ) done += writeSync(fd, piece, done);
    }
  } finally {
    closeSync(fd);
  }
  const sums = (await small(reader, 'SHA256SUMS')).toString('utf8');
  const sealed = await small(reader, 'SHA256SUMS.sealed');
  await reader.next(); // the end of the archive has to be there
  return { meta, sums, sealed, found: sumsText(metaText, sum.digest('hex')) };
}

async function* unzipped(upload: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const feed = async (): Promise<void> => {
    for await (const piece of upload) {
      if (gunzip.destroyed) return;
      if (!gunzip.write(piece))
        await new Promise((resolve) => gunzip.once('drain', resolve).once('close', resolve));
    }
    gunzip.end();
  };
  feed().catch((error: Error) => gunzip.destroy(error));
  yield* gunzip as AsyncIterable<Uint8Array>;
}

async function expect(reader: TarReader, name: string): Promise<number> {
  const found = await reader.next();
  if (found?.name !== name) throw new Error(`it has no ${name} where it should be`);
  return found.size;
}

async function small(reader: TarReader, name: string): Promise<Buffer> {
  return reader.whole(await expect(reader, name), maxSmallFile);
}

function checkedMeta(text: Buffer): SnapshotMeta {
  const meta = JSON.parse(text.toString('utf8')) as Partial<SnapshotMeta>;
  if (meta.format !== 'meshroot-snapshot') throw new Error('it is not a snapshot of meshroot');
  if (!Number.isInteger(meta.version) || Number(meta.version) > snapshotVersion) {
    throw bad(`it is of version ${meta.version}, this program reads up to ${snapshotVersion}`);
  }
  return meta as SnapshotMeta;
}

/** Only who has the data keys of this store could have sealed these sums. */
function isOurs(barrier: Barrier, sealed: Buffer, sums: string): boolean {
  try {
    return timingSafeEqual(sha(barrier.decrypt(sealedSumPath, sealed).toString('utf8')), sha(sums));
  } catch {
    return false;
  }
}

const sha = (text: string): Buffer => createHash('sha256').update(text).digest();

function* entriesOf(file: string): Generator<PhysicalEntry> {
  const fd = openSync(file, 'r');
  try {
    for (let frame = readExactly(fd, frameBytes); frame !== undefined; frame = readExactly(fd, frameBytes)) {
      const key = readExactly(fd, frame.readUInt32BE(0));
      const value = readExactly(fd, frame.readUInt32BE(4));
      if (key === undefined || value === undefined) throw bad('it breaks off');
      yield { key: key.toString('utf8'), value };
    }
  } finally {
    closeSync(fd);
  }
}

/** Undefined at the end of the file. */
function readExactly(fd: number, bytes: number): Buffer | undefined {
  const buffer = Buffer.alloc(bytes);
  let done = 0;
  while (done < bytes) {
    const read = readSync(fd, buffer, done, bytes - done, null);
    if (read === 0) return undefined;
    done += read;
  }
  return buffer;
}

const bad = (why: string): Refusal => refuse(`the snapshot cannot be restored: ${why}`, 400, 'bad-snapshot');

const foreign = (): Refusal =>
  refuse(
    'could not verify hash file, possibly the snapshot is using a different set of unseal keys; use the snapshot-force API to bypass this check',
    400,
    'foreign-snapshot',
  );
