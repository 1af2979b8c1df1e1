import { isAbsolute, resolve } from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { toJson } from '../../lib/exact-json.ts';
import type { Logger } from '../../lib/log.ts';
import { openAuditFile } from './audit-file.ts';
import { type AuditStyle, auditStyle } from './audit-options.ts';
import { type AuditEvent, auditRecord, createHasher, type Hasher, hashValues } from './audit-record.ts';
import type { LineSink, OpenAuditSocket } from './audit-sink.ts';
import type { Random } from './barrier.ts';
import type { Fields } from './fields.ts';
import { refuse, refuseWrapped } from './refusal.ts';
import type { StorageView, Transaction } from './storage.ts';

/** A device as stored (those made over the API) or declared (those of the configuration file). */
export interface AuditDevice {
  /** With trailing slash. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly options: Readonly<Record<string, string>>;
}

interface OpenDevice extends AuditDevice {
  readonly style: AuditStyle;
  readonly hash: Hasher;
  readonly sink: LineSink;
}

export interface AuditOptions {
  /** Folders below which the API may make audit files; none = devices come from the configuration alone. */
  readonly allowedFolders: readonly string[];
  readonly log: Logger;
  readonly onFailure: () => void;
  /** Without it socket devices are refused. */
  readonly openSocket?: OpenAuditSocket | undefined;
}

const prefix = 'core/audit/';
const saltPrefix = 'core/audit-salt/';

/** Writes each record to every device; a call is refused when none took it. */
export class AuditBroker {
  readonly #devices = new Map<string, OpenDevice>();
  readonly #options: AuditOptions;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Opens stored and declared devices after unsealing. A device that cannot be opened stops the start. */
  start(transaction: Transaction, declared: readonly AuditDevice[], random: Random): void {
    const stored = transaction
      .all(prefix)
      .flatMap((path) => transaction.get<AuditDevice>(prefix + path) ?? []);
    const byConfig = new Set(declared.map(({ path }) => path));
    for (const device of [...stored.filter(({ path }) => !byConfig.has(path)), ...declared]) {
      this.#devices.set(device.path, this.#open(transaction, device, random));
    }
  }

  stop(): void {
    for (const { sink } of this.#devices.values()) sink.close();
    this.#devices.clear();
  }

  reopen(): void {
    for (const { sink } of this.#devices.values()) sink.reopen();
  }

  get isEmpty(): boolean {
    return this.#devices.size === 0;
  }

  devices(): AuditDevice[] {
    return [...this.#devices.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * Done when a device has the record: at once with a file, later when there are only sockets.
   * @throws Refusal 500 when there are devices and none could write: a call that leaves no trace does not happen
   */
  record(event: AuditEvent): void | Promise<void> {
    if (this.#devices.size === 0) return;
    let written = 0;
    const pending: Promise<void>[] = [];
    for (const device of this.#devices.values()) {
      try {
        const done = device.sink.write(lineOf(event, device));
        if (done === undefined) written++;
        else pending.push(done.catch((error: unknown) => this.#fail(device, error)));
      } catch (error) {
        this.#note(device, error);
      }
    }
    if (written > 0) return;
    if (pending.length === 0) throw unrecorded();
    return Promise.any(pending).catch(() => {
      throw unrecorded();
    });
  }

  #note({ path }: OpenDevice, error: unknown): void {
    this.#options.onFailure();
    this.#options.log.error('audit device failed', { device: path, error: messageOf(error) });
  }

  #fail(device: OpenDevice, error: unknown): never {
    this.#note(device, error);
    throw error;
  }

  /** Stages a device made over the API. @throws Refusal 400 */
  async enable(transaction: Transaction, device: AuditDevice, random: Random): Promise<void> {
    this.#checkAllowed(device);
    const opened = this.#open(transaction, device, random);
    try {
      if (device.options.skip_test !== 'true') await opened.sink.write(testRecord(opened));
    } catch (error) {
      opened.sink.close();
      throw refuse(`audit backend failed test message: ${messageOf(error)}`);
    }
    transaction.put(prefix + device.path, device);
    transaction.afterCommit(() => this.#devices.set(device.path, opened));
  }

  disable(transaction: Transaction, path: string): void {
    transaction.delete(prefix + path);
    transaction.delete(saltPrefix + path);
    transaction.afterCommit(() => {
      this.#devices.get(path)?.sink.close();
      this.#devices.delete(path);
    });
  }

  /** `input` as this device hashes it, to search a log for a known value. */
  hash(path: string, input: string): string | undefined {
    const device = this.#devices.get(path);
    return device === undefined ? undefined : String(hashValues(input, device.hash));
  }

  #checkAllowed({ path, type, options }: AuditDevice): void {
    const isTaken = [...this.#devices.keys()].some(
      (other) => path.startsWith(other) || other.startsWith(path),
    );
    if (isTaken) throw refuse('path already in use');
    if (type === 'syslog') throw noSyslog();
    if (type !== 'file' && type !== 'socket') throw refuse(`unknown backend type: "${type}"`);
    if (options.prefix !== undefined && options.prefix !== '')
      throw refuse('audit log prefixing is not allowed');
    if (type === 'socket') {
      if ((options.address ?? '') === '') throw refuse('address is required');
      if (this.#options.allowedFolders.length === 0) throw notOverApi(); // devices come from the configuration alone
      return;
    }
    const file = options.file_path ?? options.path ?? '';
    if (file === '') throw refuse('file_path is required');
    if (file === 'stdout' || file === 'discard') return;
    const isAllowed = this.#options.allowedFolders.some(
      (folder) =>
        isAbsolute(file) && `${resolve(file)}/`.startsWith(`${resolve(folder)}/`.replace(/^\/\/$/, '/')),
    );
    if (!isAllowed) throw notOverApi();
  }

  #open(store: StorageView, device: AuditDevice, random: Random): OpenDevice {
    const style = auditStyle(device.options);
    const stored = store.get<string>(saltPrefix + device.path);
    const salt = stored === undefined ? random(32) : Buffer.from(stored, 'base64');
    if (stored === undefined) store.put(saltPrefix + device.path, salt.toString('base64'));
    const sink = this.#sinkOf(device, style);
    const plain: Hasher = (text) => text;
    return { ...device, style, sink, hash: style.logRaw ? plain : createHasher(salt) };
  }

  #sinkOf({ type, options }: AuditDevice, style: AuditStyle): LineSink {
    if (type !== 'socket') {
      return openAuditFile(options.file_path ?? options.path ?? '', fileMode(options.mode ?? '0600'));
    }
    const { openSocket } = this.#options;
    if (openSocket === undefined) throw refuse('unknown backend type: "socket"');
    return openSocket({
      type: options.socket_type ?? 'tcp',
      address: options.address ?? '',
      timeout: style.writeTimeout,
    });
  }
}

/** @throws Refusal 400 */
function fileMode(text: string): number {
  if (/^[0-7]{1,11}$/.test(text)) return Number.parseInt(text, 8);
  throw refuse(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Node has no datagrams of Unix sockets, which is how the log daemon is spoken to. */
const noSyslog = (): Error =>
  refuse('audit devices of type syslog are not offered by this server: use a file or a socket');

const unrecorded = (): Error => refuseWrapped('internal error', 500, 'audit-failed');

const notOverApi = (): Error =>
  refuse(
    'cannot enable audit device via API; use declarative, config-based audit device management instead',
    400,
    'audit-not-allowed',
  );

function lineOf(event: AuditEvent, { hash, style }: OpenDevice): string {
  return `${style.prefix}${toJson(auditRecord(event, hash, style))}\n`;
}

function testRecord({ hash, style }: OpenDevice): string {
  const record: Fields = {
    type: 'request',
    auth: { token_type: 'default' },
    request: { id: hash('test'), operation: 'update', namespace: { id: 'root' }, path: 'sys/audit/test' },
  };
  return `${style.prefix}${JSON.stringify(record)}\n`;
}
