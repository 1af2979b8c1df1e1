/** The little of tar (POSIX ustar) that a snapshot needs: regular files, one after the other. */
const block = 512;

/** @param size bytes that follow */
export function tarHeader(name: string, size: number, seconds: number): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0, 100);
  header.write('0000600\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(`${seconds.toString(8).padStart(11, '0')}\0`, 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Zeros up to the next block. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((block - (size % block)) % block);

/** Two empty blocks. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block);

/** Reads an archive from pieces of any size. */
export class TarReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next file, or undefined at the end. @throws Error when the archive breaks off or is none */
  async next(): Promise<{ readonly name: string; readonly size: number } | undefined> {
    const header = await this.#take(block);
    if (header.every((byte) => byte === 0)) return undefined;
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8);
    const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
    const isTar = header.toString('latin1', 257, 262) === 'ustar' && Number.isSafeInteger(size) && size >= 0;
    if (!isTar) throw new Error('it is not a tar archive');
    return { name, size };
  }

  /** The bytes of the file that `next` named, piece by piece, to its end. */
  async *body(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      const piece = await this.#some(left);
      left -= piece.length;
      yield piece;
    }
    await this.#take((block - (size % block)) % block);
  }

  /** A small file as a whole. @throws Error when it is larger than `most` */
  async whole(size: number, most: number): Promise<Buffer> {
    if (size > most) throw new Error('a part is larger than it may be');
    const pieces: Buffer[] = [];
    for await (const piece of this.body(size)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #take(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const piece = await this.#some(left);
      left -= piece.length;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  async #some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) {
      const { done, value } = await this.#source.next();
      if (done === true || value === undefined) throw new Error('it breaks off');
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}
