import { crc32 } from 'node:zlib';
import { damaged, headerBytes, type LmdbFile, type LmdbMeta, type LmdbTree } from './lmdb-file.ts';

const nodeBytes = 8;
export const sumBytes = 4;
const flags = { branch: 0x01, leaf: 0x02, overflow: 0x04 } as const;
const bigData = 0x01;
/** In place of a big value: its first page, the transaction that wrote it, how many pages. */
const bigBytes = 24;

/** The value without its sum. */
export const withoutSum = (stored: Uint8Array): Uint8Array => stored.subarray(0, -sumBytes);

export interface TreeVisitor {
  /** Of the tree, which says nothing by itself about its keys. */
  readonly summed: boolean;
  /** `stored`: the value with its sum, which is right if `isWhole`. */
  entry(key: Buffer, stored: Buffer, isWhole: boolean): void;
  /** A signpost of a branch page: all entries that come next are not less, all before it were less. */
  signpost(key: Buffer): void;
}

interface LeafNode {
  readonly page: Buffer;
  /** Where the node starts in its page, and where its value does. */
  readonly at: number;
  readonly start: number;
  /** Of the page. */
  readonly number: number;
}

/** Reads every page that the trees of one state of the file reach. What LMDB goes by when it writes has to be right, too. */
export class LmdbTreeWalk {
  readonly #file: LmdbFile;
  readonly #meta: LmdbMeta;
  readonly #used: Uint8Array;
  /**
   * Of every height two pages in turn: what stands last in one is compared with what stands first in the next. The pages of
   * a tree are strewn over the file, so that reading more than one at a time is for nothing.
   */
  readonly #buffers: [Buffer, Buffer][] = [];
  #counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };

  constructor(file: LmdbFile, meta: LmdbMeta) {
    this.#file = file;
    this.#meta = meta;
    this.#used = new Uint8Array(Math.ceil(file.size / meta.pageSize));
  }

  /** @throws MeshrootError `store-truncated`, `store-corrupt` */
  walk(name: string, tree: LmdbTree, visitor: TreeVisitor): void {
    this.#counts = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };
    if (tree.root !== undefined) this.#page(tree.root, tree.depth, visitor);
    const counted: LmdbTree = {
      ...this.#counts,
      root: tree.root,
      depth: tree.root === undefined ? 0 : tree.depth,
    };
    for (const key of Object.keys(counted) as (keyof LmdbTree)[]) {
      if (counted[key] !== tree[key])
        throw damaged(this.#file.path, `its head miscounts the ${name} (${key})`);
    }
  }

  /** Notes that a page is taken. False: it was, or it cannot be. Pages behind the end of the file are free without being there. */
  take(number: number): boolean {
    if (number < 2 || number > this.#meta.lastPage || this.#used[number] === 1) return false;
    if (number < this.#used.length) this.#used[number] = 1;
    return true;
  }

  /** @param height of the page above the leaves, which have 1 */
  #page(number: number, height: number, visitor: TreeVisitor): void {
    if (height < 1) throw this.#wrong(number);
    const page = this.#read(number, this.#buffer(height));
    const kind = page.readUInt16LE(18);
    const lower = page.readUInt16LE(20);
    const isLeaf = kind === flags.leaf;
    if (kind !== (height === 1 ? flags.leaf : flags.branch) || lower % 2 !== 0 || lower === 0)
      throw this.#wrong(number);
    if (headerBytes + lower > page.length) throw this.#wrong(number);
    this.#counts[isLeaf ? 'leafPages' : 'branchPages']++;
    if (!isLeaf || !visitor.summed) this.#apart(page, lower, number);
    let [lowest, taken] = [page.length, 0];
    for (let i = headerBytes; i < headerBytes + lower; i += 2) {
      const at = headerBytes + page.readUInt16LE(i);
      if (at < headerBytes + lower || at + nodeBytes > page.length) throw this.#wrong(number);
      const start = at + nodeBytes + page.readUInt16LE(at + 6);
      if (start > page.length) throw this.#wrong(number);
      if (at < lowest) lowest = at;
      taken += nodeLength(page, at, isLeaf);
      if (isLeaf) this.#leaf({ page, at, start, number }, visitor);
      else {
        if (i > headerBytes) visitor.signpost(page.subarray(at + nodeBytes, start)); // the first one's is not looked at
        const child = page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32;
        this.#page(child, height - 1, visitor);
      }
    }
    // LMDB adds between the end of its pointers and here, and trusts that there is room.
    const isPacked = headerBytes + page.readUInt16LE(22) === lowest && taken === page.length - lowest;
    if (!isPacked) throw this.#wrong(number);
  }

  /** No node may reach into the next one. Elsewhere the sums of the entries say so. */
  #apart(page: Buffer, lower: number, number: number): void {
    const starts = [page.length];
    for (let i = headerBytes; i < headerBytes + lower; i += 2)
      starts.push(headerBytes + page.readUInt16LE(i));
    starts.sort((a, b) => a - b);
    const isLeaf = page.readUInt16LE(18) === flags.leaf;
    for (let i = 1; i < starts.length; i++) {
      const [at = 0, next = 0] = starts.slice(i - 1, i + 1);
      if (at + nodeBytes > page.length || at + nodeLength(page, at, isLeaf) !== next)
        throw this.#wrong(number);
    }
  }

  /** Key and value mostly lie side by side, so that one pass sums both: this is what the start of a large store costs. */
  #leaf({ page, at, start, number }: LeafNode, visitor: TreeVisitor): void {
    this.#counts.entries++;
    const size = page.readUInt32LE(at);
    const nodeFlags = page.readUInt16LE(at + 4);
    const key = page.subarray(at + nodeBytes, start);
    if (nodeFlags === 0) {
      const end = start + size;
      if (end > page.length) throw this.#wrong(number);
      const isWhole =
        visitor.summed &&
        size >= sumBytes &&
        isSum(page, end, crc32(page.subarray(at + nodeBytes, end - sumBytes)));
      visitor.entry(key, page.subarray(start, end), isWhole);
      return;
    }
    if (nodeFlags !== bigData || start + bigBytes > page.length) throw this.#wrong(number);
    const value = this.#overflow(page.subarray(start, start + bigBytes), size, number);
    const isWhole = visitor.summed && size >= sumBytes;
    visitor.entry(key, value, isWhole && isSum(value, size, crc32(withoutSum(value), crc32(key))));
  }

  #buffer(height: number): Buffer {
    const size = this.#meta.pageSize;
    const [next, last] = this.#buffers[height] ?? [
      Buffer.allocUnsafeSlow(size),
      Buffer.allocUnsafeSlow(size),
    ];
    this.#buffers[height] = [last, next];
    return next;
  }

  #read(number: number, into: Buffer): Buffer {
    if (!this.take(number)) throw this.#wrong(number);
    const { pageSize } = this.#meta;
    const page = this.#file.read(number * pageSize, pageSize, into);
    const isOld = page.readBigUInt64LE(8) <= this.#meta.transaction; // a newer one LMDB would write to where it is
    if (page.readBigUInt64LE(0) !== BigInt(number) || !isOld) throw this.#wrong(number);
    return page;
  }

  /** @param place in the node of page `from` */
  #overflow(place: Buffer, size: number, from: number): Buffer {
    const count = Math.ceil((headerBytes + size) / this.#meta.pageSize);
    const isPlace =
      place.readBigUInt64LE(8) <= this.#meta.transaction && place.readBigUInt64LE(16) === BigInt(count);
    if (!isPlace) throw this.#wrong(from);
    const number = Number(place.readBigUInt64LE(0));
    const head = this.#read(number, this.#buffer(0));
    const isOverflow = head.readUInt16LE(18) === flags.overflow && head.readUInt32LE(20) === count;
    if (!isOverflow || number + count - 1 > this.#meta.lastPage) throw this.#wrong(number);
    for (let i = 1; i < count; i++) if (!this.take(number + i)) throw this.#wrong(number + i);
    this.#counts.overflowPages += count;
    const pages = this.#file.read(number * this.#meta.pageSize, count * this.#meta.pageSize);
    return pages.subarray(headerBytes, headerBytes + size);
  }

  #wrong(number: number): Error {
    return damaged(this.#file.path, `page ${number} makes no sense`);
  }
}

/** With its key and its value, or the number of the page that has the value; even. */
function nodeLength(page: Buffer, at: number, isLeaf: boolean): number {
  const key = page.readUInt16LE(at + 6);
  const size = !isLeaf ? 0 : page.readUInt16LE(at + 4) === bigData ? bigBytes : page.readUInt32LE(at);
  const bytes = nodeBytes + key + size;
  return bytes + (bytes % 2);
}

const isSum = (bytes: Buffer, end: number, sum: number): boolean =>
  bytes.readUInt32LE(end - sumBytes) === sum;
