import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { checkLmdb, sumOf } from './check-lmdb.ts';
import { withoutSum } from './lmdb-tree.ts';
import type { Physical, PhysicalChange, PhysicalEntry, PhysicalSnapshot } from './physical.ts';

const file = 'store.mdb';
const formatKey = Buffer.from('format');
const ownerKey = Buffer.from('owner');
const format = 'meshroot-store 2';
/** Keys of Vault's own paths start with this, so that format and owner cannot collide with one. */
const dataPrefix = '/';
type Database = RootDatabase<Uint8Array, Buffer>;

/** LMDB's own bound, less our prefix. */
const maxKeyBytes = 1977;

/**
 * The durable store: one LMDB file in `folder`. `overlappingSync: false` is what makes a resolved commit durable:
 * LMDB then writes, fdatasyncs and only then flips its meta page; changes of one event turn share that sync.
 * @throws MeshrootError `store-foreign`, `store-version`, `store-in-use`, `store-truncated`, `store-corrupt`: the
 * folder is left as it was
 */
export function openLmdbPhysical(folder: string): Physical {
  refuseForeign(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, file);
  if (existsSync(path)) checkLmdb(path, format);
  const db = openDatabase(path);
  for (const name of [file, `${file}-lock`]) chmodSync(join(folder, name), 0o600);
  claim(db, folder);
  const snapshots = new Set<PhysicalSnapshot>();
  let isClosed = false;
  /** A loop that is still on its way when the store closes must not read: lmdb would end the process for it. */
  const used = (): Database => {
    if (isClosed) throw sealed();
    return db;
  };
  return {
    type: 'lmdb',
    get: (key) => (Buffer.byteLength(key) > maxKeyBytes ? undefined : read(used(), dataKey(key))),
    keys: (prefix, from = prefix) => keysOf(used(), prefix, from),
    count: (prefix) => used().getKeysCount({ start: dataKey(prefix), end: dataKey(afterAll(prefix)) }),
    commit: async (changes) => commit(used(), folder, changes),
    snapshot: () => snapshotOf(used(), snapshots),
    replaceAll: async (entries) => replaceAll(used(), entries),
    folder,
    close: async () => {
      isClosed = true;
      for (const snapshot of snapshots) snapshot.close();
      await db.remove(ownerKey);
      await db.close();
    },
  };
}

const sealed = (): MeshrootError => new MeshrootError('sealed', 'Vault is sealed', { status: 503 });

const openDatabase = (path: string): Database =>
  open<Uint8Array, Buffer>({
    path,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    maxReaders: 16,
    compression: false,
  });

const dataKey = (key: string): Buffer => Buffer.from(dataPrefix + key);

function read(db: Database, key: Buffer): Uint8Array | undefined {
  const stored = db.get(key);
  return stored === undefined ? undefined : withoutSum(stored);
}

const summed = (key: Buffer, value: Uint8Array): Buffer => Buffer.concat([value, sumOf(key, value)]);

function refuseForeign(folder: string): void {
  if (!existsSync(folder)) return;
  const names = readdirSync(folder);
  if (names.length > 0 && !names.includes(file)) {
    throw new MeshrootError(
      'store-foreign',
      `${folder} holds files of something else, not a meshroot store`,
      {
        hint: 'name an empty folder as the storage path',
      },
    );
  }
}

/** A write transaction of LMDB excludes all other processes, so that of two claims one sees the other. */
function claim(db: Database, folder: string): void {
  const refusal = db.transactionSync((): MeshrootError | undefined => {
    const found = read(db, formatKey); // a fresh file has no key at all
    const isNew = found === undefined && db.getKeysCount({ limit: 1 }) === 0;
    if (!isNew && text(found) !== format) {
      return new MeshrootError(
        'store-version',
        `${folder} is a store of another version (${versionOf(db)})`,
        {
          hint: `this program reads "${format}"; use the meshroot that wrote it`,
        },
      );
    }
    const owner = text(read(db, ownerKey)) ?? '';
    if (owner !== '' && isAlive(owner)) {
      return new MeshrootError('store-in-use', `${folder} is in use by process ${owner.split(' ')[0]}`, {
        hint: 'stop that server, or name another storage path',
      });
    }
    if (isNew) putSync(db, formatKey, format);
    putSync(db, ownerKey, identity(process.pid));
    return undefined;
  });
  if (refusal === undefined) return;
  db.close();
  throw refusal;
}

const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

/** As it stands there: other versions write no sum behind it. */
const versionOf = (db: Database): string => text(db.get(formatKey))?.slice(0, 40) ?? 'no format';

function putSync(db: Database, key: Buffer, value: string): void {
  db.putSync(key, summed(key, Buffer.from(value)));
}

/** A pid alone is used again by the system; with its start time it is not. */
function identity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return `${pid} `;
  }
}

function isAlive(owner: string): boolean {
  const pid = Number(owner.split(' ')[0]);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  return identity(pid) === owner;
}

async function commit(db: Database, folder: string, changes: readonly PhysicalChange[]): Promise<void> {
  const parts: Promise<boolean>[] = [];
  try {
    await db.batch(() => {
      for (const { key: path, value } of changes) {
        const key = dataKey(path);
        parts.push(value === undefined ? db.remove(key) : db.put(key, summed(key, value)));
        parts.at(-1)?.catch(() => {}); // the batch fails with them; alone they would end the process
      }
    });
  } catch (error) {
    throw await failedCommit(folder, error);
  }
}

/** LMDB says "Input/output error" for a full disk as for a broken one; the file system knows better. */
async function failedCommit(folder: string, cause: unknown): Promise<MeshrootError> {
  const inner =
    isRecord(cause) || cause instanceof Error ? (cause as { commitError?: unknown }).commitError : undefined;
  if (inner instanceof Promise) inner.catch(() => {});
  const { bavail, bsize } = await statfs(folder);
  const full = bavail * bsize < 1024 * 1024;
  return new MeshrootError(
    full ? 'disk-full' : 'disk-failed',
    full ? `the disk of ${folder} is full` : `${folder} cannot be written: ${messageOf(cause)}`,
    { hint: 'nothing of the refused change is there; make room (or mend the disk), then unseal', cause },
  );
}

/** The first text behind all that start with `folder`, whose last character is a slash. */
const afterAll = (folder: string): string => `${folder.slice(0, -1)}0`;

function* keysOf(db: Database, prefix: string, from: string): Iterable<string> {
  for (const key of db.getKeys({ start: dataKey(from) })) {
    const path = Buffer.from(key).toString();
    if (!path.startsWith(dataPrefix + prefix)) return;
    yield path.slice(dataPrefix.length);
  }
}

/** One read transaction for as long as the snapshot lives; `open` has it until then. */
function snapshotOf(db: Database, open: Set<PhysicalSnapshot>): PhysicalSnapshot {
  const transaction = db.useReadTransaction();
  const readings = new Set<Generator<PhysicalEntry>>();
  const snapshot: PhysicalSnapshot = {
    *entries() {
      const reading = entriesOf(db, transaction);
      readings.add(reading);
      try {
        for (let next = reading.next(); next.done !== true; next = reading.next()) {
          yield next.value;
          if (!open.has(snapshot)) throw sealed();
        }
      } finally {
        reading.return(undefined);
        readings.delete(reading);
      }
    },
    close: () => {
      if (!open.delete(snapshot)) return;
      for (const reading of readings) reading.return(undefined); // a cursor must not outlive its transaction
      transaction.done();
    },
  };
  open.add(snapshot);
  return snapshot;
}

function* entriesOf(db: Database, transaction: Transaction): Generator<PhysicalEntry> {
  for (const { key, value } of db.getRange({ start: dataKey(''), transaction })) {
    const path = Buffer.from(key).toString();
    if (!path.startsWith(dataPrefix)) return;
    yield { key: path.slice(dataPrefix.length), value: withoutSum(value) };
  }
}

/** One write transaction: after a crash in the middle everything is as it was. */
async function replaceAll(db: Database, entries: Iterable<PhysicalEntry>): Promise<void> {
  await db.committed; // a change that was under way must not come on top of what replaces it
  db.transactionSync(() => {
    db.clearSync();
    putSync(db, formatKey, format);
    putSync(db, ownerKey, identity(process.pid));
    for (const { key, value } of entries) db.putSync(dataKey(key), summed(dataKey(key), value));
  });
}
