import { EventEmitter } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../lib/clock.ts';

export interface LogQuery {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  readonly limitBytes: number | undefined;
}

/** A file is turned over at this size (bytes); one older file is kept, as `<file>.1`. */
const turnOver = 10 * 2 ** 20;

/**
 * Output of one run of a container, in the format of container runtimes: `TIME stdout F text`. Written at once (the page
 * cache is quick), so that a reader and the writer never disagree about where the file ends.
 */
export class ContainerLog {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #turnOver: number;
  readonly #lines = new EventEmitter().setMaxListeners(0);
  readonly #partial = { stdout: new LineBuffer(), stderr: new LineBuffer() };
  #descriptor: number | undefined;
  #size = 0;
  #ended = false;

  constructor(file: string, clock: Clock, limit = turnOver) {
    this.#file = file;
    this.#clock = clock;
    this.#turnOver = limit;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(file, 'a', 0o600);
  }

  append(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    for (const line of this.#partial[stream].push(chunk)) this.#write(stream, line);
  }

  /** The container has ended: what is left without a line end is a line. */
  end(): void {
    if (this.#ended) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = this.#partial[stream].rest();
      if (rest !== '') this.#write(stream, rest);
    }
    this.#ended = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#lines.emit('end');
  }

  /** Calls back with text for what is there and, when following, for each new line; then once with undefined. */
  read(query: LogQuery, onText: (text: string | undefined) => void): () => void {
    const budget = { left: query.limitBytes ?? Infinity };
    const send = (line: string): void => {
      const text = rendered(line, query, budget);
      if (text !== '') onText(text);
    };
    for (const line of selected(this.#file, query)) send(line);
    if (!query.follow || this.#ended) {
      onText(undefined);
      return () => {};
    }
    const onEnd = (): void => onText(undefined);
    this.#lines.on('line', send);
    this.#lines.once('end', onEnd);
    return () => {
      this.#lines.off('line', send);
      this.#lines.off('end', onEnd);
    };
  }

  #write(stream: 'stdout' | 'stderr', text: string): void {
    if (this.#descriptor === undefined) return;
    const line = `${new Date(this.#clock.now()).toISOString()} ${stream} F ${text}`;
    this.#size += writeSync(this.#descriptor, `${line}\n`);
    this.#lines.emit('line', line);
    if (this.#size < this.#turnOver) return;
    closeSync(this.#descriptor);
    renameSync(this.#file, `${this.#file}.1`);
    this.#descriptor = openSync(this.#file, 'a', 0o600);
    this.#size = 0;
  }
}

function selected(file: string, query: LogQuery): string[] {
  const text = [`${file}.1`, file]
    .map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : ''))
    .join('');
  const since = query.since;
  const lines = text
    .split('\n')
    .filter(
      (line) => line !== '' && (since === undefined || Date.parse(line.slice(0, line.indexOf(' '))) >= since),
    );
  if (query.tailLines === undefined) return lines;
  return query.tailLines === 0 ? [] : lines.slice(-query.tailLines);
}

/** `TIME stdout F text` as the client wants it, within what is left of limitBytes. */
function rendered(line: string, query: LogQuery, budget: { left: number }): string {
  const [time = '', , , ...words] = line.split(' ');
  const text = `${query.timestamps ? `${time} ` : ''}${words.join(' ')}\n`;
  if (budget.left === Infinity) return text;
  const bytes = Buffer.from(text).subarray(0, budget.left);
  budget.left -= bytes.length;
  return bytes.toString('utf8');
}

/** A line longer than this is cut (bytes of text). */
const longestLine = 256 * 1024;

class LineBuffer {
  readonly #decoder = new StringDecoder('utf8');
  #text = '';

  push(chunk: Buffer): string[] {
    const parts = (this.#text + this.#decoder.write(chunk)).split('\n');
    this.#text = parts.pop() ?? '';
    if (this.#text.length > longestLine) {
      parts.push(this.#text);
      this.#text = '';
    }
    return parts;
  }

  rest(): string {
    const rest = this.#text + this.#decoder.end();
    this.#text = '';
    return rest;
  }
}
