import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MeshrootError } from '../../lib/errors.ts';

/** What one of the two meta pages of an LMDB file says. */
export interface LmdbMeta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  /** Page of the tree with the entries, and of the one with the free pages; undefined while it is empty. */
  readonly root: number | undefined;
  readonly freeRoot: number | undefined;
}

const headerBytes = 24;
const magic = 0xbeefc0de;
const dataVersion = 2;
const noPage = 0xffff_ffff_ffff_ffffn;
const windowBytes = 1024 * 1024;
const windows = 16;

/** An LMDB file, page by page, read and not mapped: a file that is too short gives an error instead of a SIGBUS. */
export class LmdbFile {
  readonly path: string;
  readonly size: number;
  readonly #fd: number;
  readonly #windows = new Map<number, Buffer>();

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, 'r');
    this.size = fstatSync(this.#fd).size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** As they are on disk now. @throws MeshrootError `store-corrupt` */
  metas(): readonly [LmdbMeta, LmdbMeta] {
    const first = this.#meta(0, 0);
    return [first, this.#meta(first.pageSize, 1)];
  }

  /** @param size of a page; `count` of them @throws MeshrootError `store-truncated` */
  page(number: number, size: number, count = 1): Buffer {
    const start = number * size;
    const end = start + count * size;
    if (end > this.size) throw this.#truncated(end);
    const from = Math.floor(start / windowBytes);
    if (end > (from + 1) * windowBytes) return this.#read(start, end - start);
    return this.#window(from).subarray(start - from * windowBytes, end - from * windowBytes);
  }

  #window(index: number): Buffer {
    const bytes = this.#windows.get(index) ?? this.#read(index * windowBytes, windowBytes);
    this.#windows.delete(index);
    this.#windows.set(index, bytes);
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= windows) break;
      this.#windows.delete(oldest);
    }
    return bytes;
  }

  #read(start: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, start));
  }

  #truncated(end: number): MeshrootError {
    const text = `${this.path} is cut off: it has ${this.size} bytes, entries stand up to byte ${end}`;
    return new MeshrootError('store-truncated', text, { hint: 'nothing was changed; restore a backup' });
  }

  #meta(start: number, index: number): LmdbMeta {
    const page = this.#read(start, 4096);
    if (page.length < 168) throw this.#truncated(start + 4096);
    const meta = {
      pageSize: page.readUInt32LE(headerBytes + 24),
      lastPage: Number(page.readBigUInt64LE(headerBytes + 120)),
      transaction: page.readBigUInt64LE(headerBytes + 128),
      freeRoot: pageOrNone(page.readBigUInt64LE(headerBytes + 64)),
      root: pageOrNone(page.readBigUInt64LE(headerBytes + 112)),
    };
    const isMeta =
      page.readUInt32LE(headerBytes) === magic && page.readUInt32LE(headerBytes + 4) === dataVersion;
    // LMDB writes its transactions to the two pages in turn.
    const isInTurn = meta.transaction === 0n || meta.transaction % 2n === BigInt(index);
    const isSize = meta.pageSize >= 4096 && meta.pageSize <= 65536 && meta.pageSize % 4096 === 0;
    if (!isMeta || !isInTurn || !isSize || !Number.isSafeInteger(meta.lastPage)) {
      throw damaged(this.path, `its head (meta page ${index}) makes no sense`);
    }
    return meta;
  }
}

const pageOrNone = (page: bigint): number | undefined => (page === noPage ? undefined : Number(page));

/** @param what a place, never what stands there */
export function damaged(path: string, what: string): MeshrootError {
  return new MeshrootError('store-corrupt', `${path} is damaged: ${what}`, {
    hint: 'nothing was changed; restore a backup',
  });
}
