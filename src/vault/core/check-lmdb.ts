import { crc32 } from 'node:zlib';
import { damaged, LmdbFile, type LmdbMeta } from './lmdb-file.ts';
import { FreeListVisitor } from './lmdb-free-list.ts';
import { LmdbTreeWalk, sumBytes, type TreeVisitor, withoutSum } from './lmdb-tree.ts';

/** What stands behind a value on disk, so that a changed bit in it or in its key is seen without any key of ours. */
export function sumOf(key: Uint8Array, value: Uint8Array): Buffer {
  const sum = Buffer.alloc(sumBytes);
  sum.writeUInt32LE(crc32(value, crc32(key)));
  return sum;
}

/**
 * Reads every page that the newest state of an LMDB file reaches, every entry's sum, and the lists of free pages, before
 * LMDB maps the file: a mapping of a damaged file ends the process or quietly lacks entries. What nothing needs may be
 * missing or garbage.
 * @param format the entry `format` that sums are written with; a file of another one is left to the caller
 * @throws MeshrootError `store-truncated`, `store-corrupt`
 */
export function checkLmdb(path: string, format: string): void {
  const file = new LmdbFile(path);
  try {
    if (file.size === 0) return; // made, and never written
    const meta = newest(file);
    try {
      checkState(file, meta, format);
    } catch (error) {
      // Somebody writes to it: not ours to judge, and refused by the caller.
      if (newest(file).transaction === meta.transaction) throw error;
    }
  } finally {
    file.close();
  }
}

function newest(file: LmdbFile): LmdbMeta {
  const [first, second] = file.metas();
  const [old, fresh] = first.transaction > second.transaction ? [second, first] : [first, second];
  if (fresh.transaction - old.transaction > 1n) {
    throw damaged(file.path, 'its two heads (meta pages) are not of one history');
  }
  return fresh;
}

function checkState(file: LmdbFile, meta: LmdbMeta, format: string): void {
  const wrong = (what: string): Error => damaged(file.path, what);
  const walk = new LmdbTreeWalk(file, meta);
  const free = new FreeListVisitor(meta.transaction, (page) => walk.take(page), wrong);
  const entries = new EntryVisitor();
  walk.walk('free pages', meta.free, free);
  walk.walk('entries', meta.main, entries);
  free.judge();
  const isOurs = entries.format === format || entries.format === undefined;
  if (isOurs && entries.firstBad !== undefined) throw wrong(entries.firstBad);
}

const formatKey = Buffer.from('format');
const placeOf = (key: Buffer): string => `the entry ${JSON.stringify(key.toString().slice(0, 200))}`;

class EntryVisitor implements TreeVisitor {
  readonly summed = true;
  /** Undefined until the entry `format` was read; what is wrong before it waits. */
  format: string | undefined;
  firstBad: string | undefined;
  #previous: Buffer | undefined;
  #signpost: Buffer | undefined;

  entry(key: Buffer, stored: Buffer, isWhole: boolean): void {
    if (key.equals(formatKey)) this.format = Buffer.from(withoutSum(stored)).toString();
    if (this.firstBad !== undefined) return;
    if (!isWhole) this.firstBad = `${placeOf(key)} was changed`;
    else if (this.#previous !== undefined && this.#previous.compare(key) >= 0) {
      this.firstBad = `${placeOf(key)} stands in the wrong place`;
    } else if (this.#signpost !== undefined && this.#signpost.compare(key) > 0) {
      this.firstBad = `${placeOf(key)} is not found by its page`;
    }
    this.#signpost = undefined;
    this.#previous = key;
  }

  /** Searches go by these: a changed one hides entries that are whole. */
  signpost(key: Buffer): void {
    if (this.#previous !== undefined && this.#previous.compare(key) >= 0) {
      this.firstBad ??= `${placeOf(this.#previous)} is not found by its page`;
    }
    this.#signpost = key;
  }
}
