import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { Backoff } from '../auth/backoff.ts';
import type { OnChangeSettings } from '../config/config.ts';
import { runTemplateCommand } from '../run-command.ts';
import { normalSerial, servedSerials } from './served-serials.ts';

export interface OnChangeOptions {
  readonly settings: OnChangeSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Told the reason when a set is not confirmed, and undefined when it is. */
  readonly onOutcome: (reason: string | undefined) => Promise<void>;
}

/** Tells whoever uses a set that it changed, and watches a TLS port until the new serial is seen there. */
export class OnChange {
  readonly #o: OnChangeOptions;
  #current: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: OnChangeOptions) {
    this.#o = options;
  }

  /** Begins with a new set and gives up on the one before. Tries until it is confirmed, with growing pauses. */
  changed(serial: string): void {
    this.#current?.stop.abort();
    const stop = new AbortController();
    this.#current = { stop, done: this.#until(serial, stop.signal) };
  }

  async stop(): Promise<void> {
    this.#current?.stop.abort();
    await this.#current?.done;
  }

  async #until(serial: string, signal: AbortSignal): Promise<void> {
    const { clock, random, log, settings, onOutcome } = this.#o;
    const backoff = new Backoff(1000, 300_000, random);
    while (!signal.aborted) {
      const reason = await this.#try(serial, signal).then(() => undefined, messageOf);
      if (signal.aborted) return;
      await onOutcome(reason).catch((error: unknown) => log.warn(messageOf(error)));
      if (reason === undefined) return log.info('change confirmed', { folder: settings.folder, serial });
      log.error('change not confirmed', { folder: settings.folder, reason, hint });
      await clock.sleep(backoff.next(), signal).catch(() => {});
    }
  }

  async #try(serial: string, signal: AbortSignal): Promise<void> {
    await this.#notify();
    if (this.#o.settings.probe !== undefined) await this.#probe(this.#o.settings.probe, serial, signal);
  }

  async #notify(): Promise<void> {
    const { command, signal, pidFile, http, timeoutMs } = this.#o.settings;
    if (command.length > 0) await runTemplateCommand(command, { timeoutMs });
    if (signal !== undefined && pidFile !== undefined) process.kill(await pidIn(pidFile), signal);
    if (http === undefined) return;
    const late = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(http, { method: 'POST', signal: late }).catch((error: unknown) => {
      const why = late.aborted ? `no answer within ${timeoutMs / 1000}s` : messageOf(error);
      throw new MeshrootError('on-change', `${http} could not be told: ${why}`, { exit: 1 });
    });
    if (!answer.ok) throw new MeshrootError('on-change', `${http} answered ${answer.status}`, { exit: 1 });
  }

  async #probe(address: string, serial: string, signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#o;
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(address) ?? [];
    const end = clock.now() + settings.timeoutMs;
    const target = {
      host: host.replace(/^\[|\]$/g, ''),
      port: Number(port),
      serverName: settings.serverName,
    };
    let seen = 'nothing';
    for (;;) {
      const found = await servedSerials({ ...target, timeoutMs: settings.timeoutMs }).catch(messageOf);
      if (typeof found !== 'string' && found.includes(normalSerial(serial))) return;
      seen = typeof found === 'string' ? found : found.join(', ');
      if (signal.aborted || clock.now() >= end) break;
      await clock.sleep(settings.intervalMs, signal).catch(() => {});
    }
    const waited = `${settings.timeoutMs / 1000}s`;
    throw new MeshrootError(
      'on-change',
      `${address} does not show serial ${serial} after ${waited}, but ${seen}`,
      { exit: 1 },
    );
  }
}

const hint = 'does the server read its files again, and is the probe its address? The new set stays in place';

async function pidIn(path: string): Promise<number> {
  const pid = Number((await readFile(path, 'utf8')).trim());
  if (Number.isSafeInteger(pid) && pid > 1) return pid;
  throw new MeshrootError('on-change', `${path} holds no process id`, { exit: 1 });
}
