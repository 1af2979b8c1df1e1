import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { makeFoldersSync } from '../lib/make-folders.ts';
import type { LogFileSettings } from './config/config.ts';

/**
 * A log file that is set aside, as `name-<nanoseconds>.log`, when it is too large or too old. Written at once, so that
 * nothing is lost when the process ends.
 */
export class LogFile {
  readonly #settings: LogFileSettings;
  readonly #clock: Clock;
  readonly #path: string;
  #size = 0;
  #since = 0;

  constructor(settings: LogFileSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    const isFolder =
      settings.path.endsWith('/') || (existsSync(settings.path) && statSync(settings.path).isDirectory());
    this.#path = isFolder ? join(settings.path, 'agent.log') : settings.path;
    makeFoldersSync(dirname(this.#path));
    this.reopen();
  }

  /** Goes on with what lies there now, which may be nothing: somebody else may have moved the file. */
  reopen(): void {
    this.#since = this.#clock.now();
    this.#size = existsSync(this.#path) ? statSync(this.#path).size : 0;
    appendFileSync(this.#path, '', { mode: 0o600 }); // find out now whether it can be written
  }

  write(text: string): void {
    const { rotateBytes, rotateMs } = this.#settings;
    const tooOld = this.#clock.now() - this.#since >= rotateMs;
    if (this.#size > 0 && (tooOld || (rotateBytes > 0 && this.#size >= rotateBytes))) this.#rotate();
    appendFileSync(this.#path, text, { mode: 0o600 });
    this.#size += Buffer.byteLength(text);
  }

  #rotate(): void {
    const folder = dirname(this.#path);
    const extension = extname(this.#path) || '.log';
    const stem = basename(this.#path, extension);
    const now = BigInt(Math.floor(this.#clock.now())) * 1_000_000n;
    let aside = now;
    while (existsSync(join(folder, `${stem}-${aside}${extension}`))) aside++;
    renameSync(this.#path, join(folder, `${stem}-${aside}${extension}`));
    this.#size = 0;
    this.#since = this.#clock.now();
    const { maxFiles } = this.#settings;
    if (maxFiles === 0) return;
    const old = readdirSync(folder)
      .filter((n) => n.startsWith(`${stem}-`) && n.endsWith(extension) && /-\d+\.\w+$/.test(n))
      .sort();
    for (const name of old.slice(0, Math.max(0, old.length - Math.max(0, maxFiles))))
      rmSync(join(folder, name));
  }
}
