import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { AgentConfig, PersistSettings } from '../config/config.ts';
import type { Fetched } from '../fetch.ts';
import { cacheKey } from './cache-key.ts';
import { readSealed, type Seal, writeSealed } from './sealed-file.ts';
import { restored, type Snapshot, takeSnapshot } from './snapshot.ts';

/** A copy that may be used, with its age in milliseconds. */
export interface Recovered {
  readonly known: ReadonlyMap<string, Fetched>;
  readonly ageMs: number;
}

/** The sealed copy of what an agent's templates read last, for a start while the store is down. */
export class LastGood {
  readonly #settings: PersistSettings;
  readonly #config: AgentConfig;
  readonly #clock: Clock;
  #written = '';

  constructor(settings: PersistSettings, config: AgentConfig, clock: Clock) {
    this.#settings = settings;
    this.#config = config;
    this.#clock = clock;
  }

  /** Replaces the copy, when something in it changed or a quarter of its age has passed. @throws MeshrootError */
  async save(known: ReadonlyMap<string, Fetched>): Promise<void> {
    const now = this.#clock.now();
    const snapshot = takeSnapshot(known, now);
    const span = Math.floor((now * 4) / this.#settings.maxAgeMs);
    const mark = digest(JSON.stringify([span, snapshot.entries]));
    if (mark === this.#written) return;
    await writeSealed(this.#path, Buffer.from(JSON.stringify(snapshot)), await this.#seal());
    this.#written = mark;
  }

  /**
   * @returns undefined when there is no copy
   * @throws MeshrootError `last-good-refused` when there is one that must not be used
   */
  async recover(): Promise<Recovered | undefined> {
    const content = await readSealed(this.#path, await this.#seal());
    if (content === undefined) return undefined;
    const snapshot = JSON.parse(content.toString('utf8')) as Snapshot; // authenticated: we wrote it
    const now = this.#clock.now();
    const ageMs = now - snapshot.takenAt;
    if (ageMs > this.#settings.maxAgeMs) throw this.#tooOld(`is older than max_age`);
    if (ageMs < -300_000) throw this.#tooOld('is from the future: compare the clocks');
    if (snapshot.endsAt !== null && snapshot.endsAt <= now)
      throw this.#tooOld('holds a certificate that has ended');
    return { known: new Map(Object.entries(snapshot.entries).map(([k, v]) => [k, restored(v)])), ageMs };
  }

  get #path(): string {
    return join(this.#settings.path, `last-good-${digest(this.#destinations()).slice(0, 16)}`);
  }

  #destinations(): string {
    return JSON.stringify(this.#config.templates.map((t) => [t.envName ?? '', t.destination]));
  }

  /** Sealed for one store, login, service account and set of files: a copy is of no use to anybody else. */
  async #seal(): Promise<Seal> {
    const { vault, method } = this.#config;
    const login = [
      method?.type,
      method?.mountPath,
      method?.namespace,
      method?.config.role ?? method?.config.name,
    ];
    const subject = await subjectOf(String(method?.config.token_path ?? method?.config.path ?? ''));
    const scope = JSON.stringify([vault.address, vault.namespace, login, subject, this.#destinations()]);
    return { key: await cacheKey(this.#settings), scope };
  }

  #tooOld(reason: string): MeshrootError {
    return new MeshrootError('last-good-refused', `the last good copy ${reason}`, {
      exit: 1,
      hint: 'it is not used; the agent waits for the store',
    });
  }
}

/**
 * Who a service account token is about. Its signature is not checked: the kubelet put it there, and the store judges it
 * at the login; here it only keeps copies of two identities apart. Empty for what is no JWT.
 */
async function subjectOf(path: string): Promise<string> {
  if (path === '') return '';
  const token = await readFile(path, 'utf8').catch(() => '');
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      sub?: unknown;
    };
    return String(claims.sub ?? '');
  } catch {
    return '';
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
