import { crc32 } from 'node:zlib';
import { damaged, LmdbFile, type LmdbMeta } from './lmdb-file.ts';

const headerBytes = 24;
const nodeBytes = 8;
const sumBytes = 4;
const flags = { branch: 0x01, leaf: 0x02, overflow: 0x04 } as const;
const bigData = 0x01;

/** What stands behind a value on disk, so that a changed bit in it or in its key is seen without any key of ours. */
export function sumOf(key: Uint8Array, value: Uint8Array): Buffer {
  const sum = Buffer.alloc(sumBytes);
  sum.writeUInt32LE(crc32(value, crc32(key)));
  return sum;
}

/** The value without its sum. */
export const withoutSum = (stored: Uint8Array): Uint8Array => stored.subarray(0, -sumBytes);

/**
 * Reads every page that the newest state of an LMDB file reaches, and every entry's sum, before LMDB maps the file: a
 * mapping of a damaged file ends the process or quietly lacks entries. What no entry needs may be missing or garbage.
 * @param format the entry `format` that sums are written with; a file of another one is left to the caller
 * @throws MeshrootError `store-truncated`, `store-corrupt`
 */
export function checkLmdb(path: string, format: string): void {
  const file = new LmdbFile(path);
  try {
    if (file.size === 0) return; // made, and never written
    const meta = newest(file);
    try {
      new Walk(file, meta, format).run();
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

class Walk {
  readonly #file: LmdbFile;
  readonly #meta: LmdbMeta;
  readonly #format: string;
  readonly #seen = new Set<number>();
  /** Undefined until the entry `format` was read; entries that came before it wait. */
  #firstBad: string | undefined;
  #found: string | undefined;
  #previous: Buffer = Buffer.alloc(0);

  constructor(file: LmdbFile, meta: LmdbMeta, format: string) {
    this.#file = file;
    this.#meta = meta;
    this.#format = format;
  }

  run(): void {
    this.#page(this.#meta.freeRoot, () => {});
    this.#previous = Buffer.alloc(0);
    this.#page(this.#meta.root, (key, value) => this.#entry(key, value));
    const isOurs = this.#found === this.#format || this.#found === undefined;
    if (isOurs && this.#firstBad !== undefined) throw damaged(this.#file.path, this.#firstBad);
  }

  #page(number: number | undefined, entry: (key: Buffer, value: Buffer) => void): void {
    if (number === undefined) return;
    const page = this.#read(number);
    const kind = page.readUInt16LE(18) & 0xff;
    if (kind !== flags.branch && kind !== flags.leaf) throw this.#wrong(number);
    for (const node of this.#nodes(page, number)) {
      if (kind === flags.branch) {
        this.#page(node.readUInt32LE(0) + node.readUInt16LE(4) * 2 ** 32, entry);
        continue;
      }
      const key = node.subarray(nodeBytes, nodeBytes + node.readUInt16LE(6));
      entry(key, this.#value(node, nodeBytes + key.length, number));
    }
  }

  #read(number: number): Buffer {
    if (number < 2 || number > this.#meta.lastPage || this.#seen.has(number)) throw this.#wrong(number);
    this.#seen.add(number);
    const page = this.#file.page(number, this.#meta.pageSize);
    if (page.readBigUInt64LE(0) !== BigInt(number)) throw this.#wrong(number);
    return page;
  }

  *#nodes(page: Buffer, number: number): Iterable<Buffer> {
    const lower = page.readUInt16LE(20);
    if (lower % 2 !== 0 || headerBytes + lower > page.length) throw this.#wrong(number);
    for (let i = 0; i < lower; i += 2) {
      const at = headerBytes + page.readUInt16LE(headerBytes + i);
      if (at < headerBytes + lower || at + nodeBytes > page.length) throw this.#wrong(number);
      const node = page.subarray(at);
      if (nodeBytes + node.readUInt16LE(6) > node.length) throw this.#wrong(number);
      yield node;
    }
  }

  #value(node: Buffer, start: number, number: number): Buffer {
    const size = node.readUInt32LE(0);
    const nodeFlags = node.readUInt16LE(4);
    if ((nodeFlags & ~bigData) !== 0) throw this.#wrong(number);
    if (nodeFlags === 0) {
      if (start + size > node.length) throw this.#wrong(number);
      return node.subarray(start, start + size);
    }
    if (start + 8 > node.length) throw this.#wrong(number);
    return this.#overflow(Number(node.readBigUInt64LE(start)), size);
  }

  #overflow(number: number, size: number): Buffer {
    const head = this.#read(number);
    const count = Math.ceil((headerBytes + size) / this.#meta.pageSize);
    const isOverflow = (head.readUInt16LE(18) & 0xff) === flags.overflow && head.readUInt32LE(20) === count;
    if (!isOverflow || number + count - 1 > this.#meta.lastPage) throw this.#wrong(number);
    for (let i = 1; i < count; i++) this.#seen.add(number + i);
    const pages = this.#file.page(number, this.#meta.pageSize, count);
    return pages.subarray(headerBytes, headerBytes + size);
  }

  #entry(key: Buffer, stored: Buffer): void {
    const value = withoutSum(stored);
    if (key.toString() === 'format') this.#found = Buffer.from(value).toString();
    if (this.#firstBad !== undefined) return;
    const place = `the entry ${JSON.stringify(key.toString().slice(0, 200))}`;
    if (stored.length < sumBytes || !sumOf(key, value).equals(stored.subarray(value.length))) {
      this.#firstBad = `${place} was changed`;
    } else if (Buffer.compare(this.#previous, key) >= 0) {
      this.#firstBad = `${place} stands in the wrong place`;
    }
    this.#previous = Buffer.from(key);
  }

  #wrong(number: number): Error {
    return damaged(this.#file.path, `page ${number} makes no sense`);
  }
}
