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

/** `stored`: the value with its sum, which is right if `isWhole`. */
type Visit = (key: Buffer, stored: Buffer, isWhole: boolean) => void;
/** A signpost of a branch page: all entries that come next are not less, all before it were less. */
type Pass = (signpost: Buffer) => void;

interface LeafNode {
  readonly page: Buffer;
  /** Where the node starts in its page, and where its value does. */
  readonly at: number;
  readonly start: number;
  /** Of the page. */
  readonly number: number;
}

const formatKey = Buffer.from('format');
const isSum = (bytes: Buffer, end: number, sum: number): boolean =>
  bytes.readUInt32LE(end - sumBytes) === sum;
const placeOf = (key: Buffer): string => `the entry ${JSON.stringify(key.toString().slice(0, 200))}`;

class Walk {
  readonly #file: LmdbFile;
  readonly #meta: LmdbMeta;
  readonly #format: string;
  readonly #seen = new Set<number>();
  /** Undefined until the entry `format` was read; entries that came before it wait. */
  #firstBad: string | undefined;
  #found: string | undefined;
  #previous: Buffer | undefined;
  #signpost: Buffer | undefined;

  constructor(file: LmdbFile, meta: LmdbMeta, format: string) {
    this.#file = file;
    this.#meta = meta;
    this.#format = format;
  }

  run(): void {
    const ignore = (): void => {};
    this.#page(this.#meta.freeRoot, ignore, ignore);
    const visit: Visit = (key, value, isWhole) => this.#entry(key, value, isWhole);
    this.#page(this.#meta.root, visit, (signpost) => this.#pass(signpost));
    const isOurs = this.#found === this.#format || this.#found === undefined;
    if (isOurs && this.#firstBad !== undefined) throw damaged(this.#file.path, this.#firstBad);
  }

  #page(number: number | undefined, visit: Visit, pass: Pass): void {
    if (number === undefined) return;
    const page = this.#read(number);
    const kind = page.readUInt16LE(18) & 0xff;
    const lower = page.readUInt16LE(20);
    const isTree = kind === flags.branch || kind === flags.leaf;
    if (!isTree || lower % 2 !== 0 || headerBytes + lower > page.length) throw this.#wrong(number);
    for (let i = headerBytes; i < headerBytes + lower; i += 2) {
      const at = headerBytes + page.readUInt16LE(i);
      if (at < headerBytes + lower || at + nodeBytes > page.length) throw this.#wrong(number);
      const start = at + nodeBytes + page.readUInt16LE(at + 6);
      if (start > page.length) throw this.#wrong(number);
      if (kind === flags.leaf) this.#leaf({ page, at, start, number }, visit);
      else {
        if (i > headerBytes) pass(page.subarray(at + nodeBytes, start)); // the first one's is not looked at
        this.#page(page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32, visit, pass);
      }
    }
  }

  /** Key and value mostly lie side by side, so that one pass sums both: this is what the start of a large store costs. */
  #leaf({ page, at, start, number }: LeafNode, visit: Visit): void {
    const size = page.readUInt32LE(at);
    const nodeFlags = page.readUInt16LE(at + 4);
    const key = page.subarray(at + nodeBytes, start);
    if (nodeFlags === 0) {
      const end = start + size;
      if (end > page.length) throw this.#wrong(number);
      const isWhole =
        size >= sumBytes && isSum(page, end, crc32(page.subarray(at + nodeBytes, end - sumBytes)));
      visit(key, page.subarray(start, end), isWhole);
      return;
    }
    if (nodeFlags !== bigData || start + 8 > page.length) throw this.#wrong(number);
    const value = this.#overflow(Number(page.readBigUInt64LE(start)), size);
    visit(key, value, size >= sumBytes && isSum(value, size, crc32(withoutSum(value), crc32(key))));
  }

  #read(number: number): Buffer {
    if (number < 2 || number > this.#meta.lastPage || this.#seen.has(number)) throw this.#wrong(number);
    this.#seen.add(number);
    const page = this.#file.page(number, this.#meta.pageSize);
    if (page.readBigUInt64LE(0) !== BigInt(number)) throw this.#wrong(number);
    return page;
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

  #entry(key: Buffer, stored: Buffer, isWhole: boolean): void {
    if (key.equals(formatKey)) this.#found = Buffer.from(withoutSum(stored)).toString();
    if (this.#firstBad !== undefined) return;
    if (!isWhole) this.#firstBad = `${placeOf(key)} was changed`;
    else if (this.#previous !== undefined && this.#previous.compare(key) >= 0) {
      this.#firstBad = `${placeOf(key)} stands in the wrong place`;
    } else if (this.#signpost !== undefined && this.#signpost.compare(key) > 0) {
      this.#firstBad = `${placeOf(key)} is not found by its page`;
    }
    this.#signpost = undefined;
    this.#previous = key;
  }

  /** Searches go by these: a changed one hides entries that are whole. */
  #pass(signpost: Buffer): void {
    if (this.#previous !== undefined && this.#previous.compare(signpost) >= 0) {
      this.#firstBad ??= `${placeOf(this.#previous)} is not found by its page`;
    }
    this.#signpost = signpost;
  }

  #wrong(number: number): Error {
    return damaged(this.#file.path, `page ${number} makes no sense`);
  }
}
