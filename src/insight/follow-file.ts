import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';

export interface FollowOptions {
  readonly clock: Clock;
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Stop at the end of the file instead of waiting for more. */
  readonly once?: boolean;
  /** Longest line; a longer one is dropped whole. */
  readonly maxLine?: number;
}

/** Looked at this often even when the file system tells nothing (network file systems), milliseconds. */
const lookEvery = 500;

/**
 * The lines of a log as they are written: from its beginning, over truncation and over rotation (a new file under the
 * same name). Only whole lines come out.
 */
export async function* followLines(path: string, options: FollowOptions): AsyncGenerator<string> {
  let lines = new LineSplitter(options.maxLine ?? 4 * 1024 * 1024);
  let file = await openOrWait(path, options);
  let position = 0;
  let last = false; // the file was replaced: what its writer added at the very end is still read
  try {
    while (file !== undefined && !options.signal.aborted) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, position);
      position += bytesRead;
      if (bytesRead > 0) {
        yield* lines.push(buffer.subarray(0, bytesRead));
        continue;
      }
      const replaced = await wasReplaced(path, file, position);
      if (replaced && !last) last = true;
      else if (replaced) {
        await file.close();
        last = false;
        [file, position, lines] = [
          await openOrWait(path, options),
          0,
          new LineSplitter(options.maxLine ?? 4 * 1024 * 1024),
        ];
      } else if (options.once) return;
      else await changeOf(path, options);
    }
  } finally {
    await file?.close();
  }
}

/** Cuts bytes into lines; what is behind the last line end stays for the next push. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  #dropping = false;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  push(chunk: Buffer): string[] {
    const whole = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    let from = 0;
    for (let end = whole.indexOf(10, from); end !== -1; end = whole.indexOf(10, from)) {
      if (!this.#dropping && end > from) lines.push(whole.toString('utf8', from, end));
      this.#dropping = false;
      from = end + 1;
    }
    this.#rest = Buffer.from(whole.subarray(from));
    if (this.#rest.length > this.#max) [this.#rest, this.#dropping] = [Buffer.alloc(0), true];
    return lines;
  }
}

async function openOrWait(path: string, options: FollowOptions): Promise<FileHandle | undefined> {
  while (!options.signal.aborted) {
    try {
      return await open(path, 'r');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || options.once) throw error;
      await options.clock.sleep(lookEvery, options.signal).catch(() => {});
    }
  }
  return undefined;
}

/** True when another file is there under the name, or this one was cut. */
async function wasReplaced(path: string, file: FileHandle, position: number): Promise<boolean> {
  const ours = await file.stat();
  if (ours.size < position) return true;
  const named = await stat(path).catch(() => undefined);
  return named !== undefined && named.ino !== ours.ino;
}

/** Resolves when something changed in the folder, after `lookEvery`, or when the signal aborts. */
async function changeOf(path: string, { clock, signal }: FollowOptions): Promise<void> {
  const done = new AbortController();
  const either = AbortSignal.any([done.signal, signal]);
  const watcher = watch(dirname(path), () => done.abort());
  watcher.on('error', () => done.abort());
  try {
    await clock.sleep(lookEvery, either);
  } catch {
    // woken before the time, or asked to end
  } finally {
    watcher.close();
  }
}
