import type { Socket } from 'node:net';

const [L, I, S, T, N, K] = [0x4c, 0x49, 0x53, 0x54, 0x4e, 0x4b];
const maxHeadBytes = 64 * 1024;
const headEnd = '\r\n\r\n';

/** How Node's parser, which knows no LIST, gets to see it. */
export const listMethod = 'LINK';
export const scanMethod = 'BIND';

/**
 * Vault's own verb LIST is unknown to Node's HTTP parser, LINK is not, and both have four letters: so LIST becomes LINK
 * in the received bytes before the parser sees them. Requests are framed (head, length or chunks) to know where one
 * starts; a body that says LIST is left alone, however the bytes are cut into chunks and however many requests are
 * pipelined. A wrong guess cannot do more than spoil a verb: the parser decides everything else. OpenBao's SCAN becomes
 * BIND, where its bytes come together; clients ask for it by `?scan=true`.
 */
export function admitListVerb(socket: Socket): void {
  const framing = new RequestFraming();
  // Ahead of the parser's own listener, which sees the same Buffer afterwards.
  socket.prependListener('data', (chunk: Buffer | string) => {
    if (typeof chunk !== 'string') framing.rewrite(chunk);
  });
}

type State = 'verb' | 'head' | 'body' | 'chunk-size' | 'chunk-data' | 'trailer' | 'lost';

/** Follows the requests of one connection. */
export class RequestFraming {
  #state: State = 'verb';
  /** Bytes of the verb that were seen. */
  #verb = 0;
  #isList = true;
  /** Head, chunk size line or trailer so far. */
  #line = '';
  /** Bytes of body that are still to come. */
  #left = 0;

  /** Changes the verbs in `chunk` in place. */
  rewrite(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.#state !== 'lost') at = this.#step(chunk, at);
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'verb':
        return this.#readVerb(chunk, at);
      case 'head':
        return this.#readUntil(chunk, at, headEnd, () => this.#headDone());
      case 'chunk-size':
        return this.#readUntil(chunk, at, '\r\n', () => this.#chunkSizeDone());
      case 'trailer':
        return this.#readUntil(chunk, at, '\r\n', () => this.#trailerDone());
      default:
        return this.#skip(chunk, at);
    }
  }

  #readVerb(chunk: Buffer, at: number): number {
    const byte = chunk[at];
    if (this.#verb === 0 && (byte === 0x0d || byte === 0x0a)) return at + 1; // empty lines before a request are allowed
    if (this.#verb === 0 && chunk.toString('latin1', at, at + 5) === 'SCAN ')
      chunk.write(scanMethod, at, 'latin1');
    this.#isList &&= byte === [L, I, S, T][this.#verb];
    if (this.#isList && this.#verb >= 2) chunk[at] = this.#verb === 2 ? N : K;
    this.#verb++;
    if (this.#verb === 4 || !this.#isList) this.#state = 'head';
    return at + 1;
  }

  #readUntil(chunk: Buffer, at: number, end: string, done: () => void): number {
    const before = this.#line.length;
    // The end may have begun in the chunk before: look at the seam through the text.
    const text = this.#line + chunk.toString('latin1', at, Math.min(chunk.length, at + maxHeadBytes));
    const found = text.indexOf(end, Math.max(0, before - end.length));
    if (found === -1) {
      this.#line = text;
      if (text.length > maxHeadBytes) this.#state = 'lost'; // the parser refuses such a head itself
      return chunk.length;
    }
    this.#line = text.slice(0, found);
    const next = at + found + end.length - before;
    done();
    this.#line = '';
    return next;
  }

  #headDone(): void {
    if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(this.#line)) {
      this.#state = 'chunk-size';
      return;
    }
    this.#expect(Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(this.#line)?.[1] ?? 0), 'body');
  }

  #chunkSizeDone(): void {
    const size = Number.parseInt(this.#line, 16);
    if (Number.isNaN(size)) this.#state = 'lost';
    else if (size === 0) this.#state = 'trailer';
    else this.#expect(size + 2, 'chunk-data');
  }

  #trailerDone(): void {
    if (this.#line === '') this.#nextRequest();
  }

  #expect(bytes: number, state: State): void {
    this.#left = bytes;
    this.#state = state;
    if (bytes === 0) this.#nextRequest();
  }

  #skip(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#left, chunk.length - at);
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#state === 'chunk-data') this.#state = 'chunk-size';
      else this.#nextRequest();
    }
    return at + taken;
  }

  #nextRequest(): void {
    this.#state = 'verb';
    this.#verb = 0;
    this.#isList = true;
  }
}
