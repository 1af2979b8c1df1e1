import { MeshrootError } from '../../lib/errors.ts';

/** One element of a DER encoding (ITU-T X.690, 10). Buffers are views into the input, not copies. */
export interface DerNode {
  /** Identifier octet: class, constructed bit and number (0..30; longer tags do not occur in X.509). */
  readonly tag: number;
  readonly content: Buffer;
  /** The whole element with its header. */
  readonly raw: Buffer;
}

/** Far above what any certificate or request needs, far below what could hurt. */
export const maxDerSize = 256 * 1024;
const maxDepth = 24;

/**
 * Reads elements one after the other, strictly: definite and minimal lengths only, nothing left over.
 * Depth is bounded because each level is entered by a new reader.
 * @throws MeshrootError `bad-der`
 */
export class DerReader {
  readonly #bytes: Buffer;
  readonly #depth: number;
  readonly #maxSize: number;
  #offset = 0;

  constructor(bytes: Buffer, depth = 0, maxSize = maxDerSize) {
    if (bytes.length > maxSize) throw badDer(`is longer than ${maxSize} bytes`);
    if (depth > maxDepth) throw badDer(`is nested deeper than ${maxDepth} levels`);
    this.#bytes = bytes;
    this.#depth = depth;
    this.#maxSize = maxSize;
  }

  get done(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The next element; with `tag`, it has to be that one. */
  next(tag: number | undefined, what: string): DerNode {
    const start = this.#offset;
    const found = this.#byte(what);
    if ((found & 0x1f) === 0x1f) throw badDer(`${what} has a tag of more than one byte`);
    if (tag !== undefined && found !== tag) {
      throw badDer(`${what} has tag 0x${hex(found)} where 0x${hex(tag)} belongs`);
    }
    const length = this.#length(what);
    const from = this.#offset;
    if (length > this.#bytes.length - from) throw badDer(`${what} ends before its length`);
    this.#offset = from + length;
    return {
      tag: found,
      content: this.#bytes.subarray(from, this.#offset),
      raw: this.#bytes.subarray(start, this.#offset),
    };
  }

  /** The next element if it carries `tag`. */
  optional(tag: number, what: string): DerNode | undefined {
    return !this.done && this.#bytes[this.#offset] === tag ? this.next(tag, what) : undefined;
  }

  /** A reader over the content of the next element, which must carry `tag`. */
  enter(tag: number, what: string): DerReader {
    return this.inside(this.next(tag, what));
  }

  /** A reader over the content of an element that was read before. */
  inside(node: DerNode): DerReader {
    return new DerReader(node.content, this.#depth + 1, this.#maxSize);
  }

  /** Refuses bytes that nobody has read. */
  end(what: string): void {
    if (!this.done) throw badDer(`${what} has bytes after its end`);
  }

  #byte(what: string): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw badDer(`${what} is missing`);
    this.#offset++;
    return byte;
  }

  #length(what: string): number {
    const first = this.#byte(what);
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0) throw badDer(`${what} has an indefinite length`);
    if (count > 3) throw badDer(`${what} has a length that is too large`);
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte(what);
    if (length < 0x80 || length < 256 ** (count - 1))
      throw badDer(`${what} has a length that is not minimal`);
    return length;
  }
}

export function badDer(message: string): MeshrootError {
  return new MeshrootError('bad-der', message);
}

const hex = (n: number): string => n.toString(16).padStart(2, '0');
