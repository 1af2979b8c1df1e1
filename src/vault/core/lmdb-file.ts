import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MeshrootError } from '../../lib/errors.ts';

/** What a head page says of a tree; `root` is undefined while the tree is empty. */
export interface LmdbTree {
  readonly root: number | undefined;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
}

/** What one of the two meta pages of an LMDB file says. */
export interface LmdbMeta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  /** The tree with the entries, and the one with the free pages. */
  readonly main: LmdbTree;
  readonly free: LmdbTree;
}

export const headerBytes = 24;
const magic = 0xbeefc0de;
const dataVersion = 2;
const metaPage = 0x08;
/** Of the two trees: free pages have numbers as keys, entries nothing special. With the first stand two of the file. */
const treeFlags = { free: 0x08, main: 0, ofFile: 0x5000 } as const;
const noPage = 0xffff_ffff_ffff_ffffn;
const mostMapBytes = 2 ** 45;

/** An LMDB file, page by page, read and not mapped: a file that is too short gives an error instead of a SIGBUS. */
export class LmdbFile {
  readonly path: string;
  readonly size: number;
  readonly #fd: number;

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

  /**
   * Pages side by side.
   * @param bytes of all of them
   * @param into where they go; a new buffer if it is left out
   * @throws MeshrootError `store-truncated`
   */
  read(start: number, bytes: number, into: Buffer = Buffer.allocUnsafeSlow(bytes)): Buffer {
    if (start + bytes > this.size || readSync(this.#fd, into, 0, bytes, start) !== bytes)
      throw this.#truncated(start + bytes);
    return into;
  }

  #head(start: number): Buffer {
    const bytes = Buffer.alloc(4096);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, bytes.length, start));
  }

  #truncated(end: number): MeshrootError {
    const text = `${this.path} is cut off: it has ${this.size} bytes, entries stand up to byte ${end}`;
    return new MeshrootError('store-truncated', text, { hint: 'nothing was changed; restore a backup' });
  }

  #meta(start: number, index: number): LmdbMeta {
    const page = this.#head(start);
    if (page.length < 168) throw this.#truncated(start + 4096);
    const meta = {
      pageSize: page.readUInt32LE(headerBytes + 24),
      lastPage: Number(page.readBigUInt64LE(headerBytes + 120)),
      transaction: page.readBigUInt64LE(headerBytes + 128),
      free: treeOf(page, headerBytes + 24),
      main: treeOf(page, headerBytes + 72),
    };
    if (!isHead(page) || !isSane(page, meta, index))
      throw damaged(this.path, `its head (meta page ${index}) makes no sense`);
    return meta;
  }
}

function treeOf(page: Buffer, at: number): LmdbTree {
  const number = (offset: number): number => Number(page.readBigUInt64LE(at + offset));
  const root = page.readBigUInt64LE(at + 40);
  return {
    root: root === noPage ? undefined : Number(root),
    depth: page.readUInt16LE(at + 6),
    branchPages: number(8),
    leafPages: number(16),
    overflowPages: number(24),
    entries: number(32),
  };
}

const isHead = (page: Buffer): boolean =>
  page.readUInt16LE(18) === metaPage &&
  page.readUInt32LE(headerBytes) === magic &&
  page.readUInt32LE(headerBytes + 4) === dataVersion &&
  (page.readUInt16LE(headerBytes + 28) & ~treeFlags.ofFile) === treeFlags.free &&
  page.readUInt16LE(headerBytes + 76) === treeFlags.main;

/** LMDB writes its transactions to the two pages in turn, and maps as much as it says here. */
function isSane(page: Buffer, { pageSize, lastPage, transaction }: LmdbMeta, index: number): boolean {
  const mapBytes = Number(page.readBigUInt64LE(headerBytes + 16));
  const isInTurn = transaction === 0n || transaction % 2n === BigInt(index);
  const isSize = pageSize >= 4096 && pageSize <= 65536 && pageSize % 4096 === 0;
  return isInTurn && isSize && (lastPage + 1) * pageSize <= mapBytes && mapBytes <= mostMapBytes;
}

/** @param what a place, never what stands there */
export function damaged(path: string, what: string): MeshrootError {
  return new MeshrootError('store-corrupt', `${path} is damaged: ${what}`, {
    hint: 'nothing was changed; restore a backup',
  });
}
