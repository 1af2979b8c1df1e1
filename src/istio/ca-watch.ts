import { watch } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { folderMark } from './ca-folder.ts';

export interface WatchOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after a change, never twice at a time; false means "not taken", and it is asked again at the next poll. */
  readonly onChange: () => Promise<boolean>;
  /** Milliseconds to wait for the rest of a set after its first file moved. */
  readonly debounce?: number;
  /** Milliseconds between looks at the files themselves: some file systems tell nothing. */
  readonly poll?: number;
}

/**
 * Follows the files of a folder until `signal` is aborted: events of the folder (renames and `..data` swaps included)
 * gathered for 100 ms, and a look every two seconds for file systems without events.
 */
export async function watchFolder(options: WatchOptions): Promise<void> {
  const { folder, clock, signal, onChange, debounce = 100, poll = 2000 } = options;
  let wake: () => void = () => {};
  let touched = false;
  const touch = () => {
    touched = true;
    wake();
  };
  const stop = startWatcher(folder, touch);
  signal.addEventListener('abort', touch, { once: true });
  let seen = await folderMark(folder);
  let taken = await onChange(); // what came between the first load and the watch
  while (!signal.aborted) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const pause = new AbortController();
    if (!touched) await Promise.race([woken, clock.sleep(poll, pause.signal).catch(() => {})]);
    pause.abort();
    if (signal.aborted) break;
    if (touched) await clock.sleep(debounce, signal).catch(() => {});
    touched = false;
    const mark = await folderMark(folder);
    if (signal.aborted || (mark === seen && taken)) continue;
    seen = mark;
    taken = await onChange();
  }
  stop();
}

function startWatcher(folder: string, touch: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, touch);
    watcher.on('error', () => watcher.close()); // the folder went away: the poll goes on
    return () => watcher.close();
  } catch {
    return () => {}; // no watches left on this machine: the poll alone
  }
}
