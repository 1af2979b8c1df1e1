import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Barrier } from './barrier.ts';
import type { Physical, PhysicalEntry, PhysicalSnapshot } from './physical.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/** First file of a snapshot. */
export interface SnapshotMeta {
  readonly format: 'meshroot-snapshot';
  readonly version: number;
  readonly cluster_id: string;
  readonly server_version: string;
  /** Milliseconds. */
  readonly created: number;
  readonly entries: number;
}

export const snapshotVersion = 1;
/** The additional data of the sealed checksum. */
export const sealedSumPath = 'snapshot/SHA256SUMS';
const pieceBytes = 64 * 1024;
/** Before key and value: their lengths. */
export const frameBytes = 8;

export interface SaveOptions {
  readonly physical: Physical;
  readonly barrier: Barrier;
  readonly clusterId: string;
  readonly serverVersion: string;
  readonly now: number;
}

/**
 * The whole store as a gzipped tar, of the moment at which reading begins, with bounded memory: `meta.json`, `state.bin`
 * (ciphertext, as on disk), `SHA256SUMS`, and `SHA256SUMS.sealed`, the sums under the data key, which says whose it is. The
 * names of the last two are those that Vault's own clients look for. Nothing is open while nobody reads; whoever reads
 * gets the errors.
 * @throws MeshrootError `sealed` when the store is sealed before the end
 */
export async function* saveSnapshot(options: SaveOptions): AsyncGenerator<Uint8Array> {
  const snapshot = options.physical.snapshot();
  const zipped = createGzip({ level: 1 });
  const source = Readable.from(tar(options, snapshot), { objectMode: false, highWaterMark: pieceBytes });
  const fed = pipeline(source, zipped).catch(() => {}); // `zipped` fails with it
  try {
    yield* zipped;
  } finally {
    zipped.destroy();
    await fed;
    snapshot.close();
  }
}

function* tar(options: SaveOptions, snapshot: PhysicalSnapshot): Generator<Buffer> {
  const seconds = Math.floor(options.now / 1000);
  let size = 0;
  let entries = 0;
  for (const { key, value } of snapshot.entries()) {
    size += frameBytes + Buffer.byteLength(key) + value.length;
    entries++;
  }
  const meta: SnapshotMeta = {
    format: 'meshroot-snapshot',
    version: snapshotVersion,
    cluster_id: options.clusterId,
    server_version: options.serverVersion,
    created: options.now,
    entries,
  };
  const metaText = Buffer.from(JSON.stringify(meta));
  yield* whole('meta.json', metaText, seconds);
  yield tarHeader('state.bin', size, seconds);
  const sum = createHash('sha256');
  for (const piece of pieces(snapshot.entries())) {
    sum.update(piece);
    yield piece;
  }
  yield tarPadding(size);
  const sums = Buffer.from(sumsText(metaText, sum.digest('hex')));
  yield* whole('SHA256SUMS', sums, seconds);
  yield* whole('SHA256SUMS.sealed', options.barrier.encrypt(sealedSumPath, sums), seconds);
  yield tarEnd();
}

/** As `sha256sum` prints it. */
export function sumsText(meta: Uint8Array, stateSum: string): string {
  return `${createHash('sha256').update(meta).digest('hex')}  meta.json\n${stateSum}  state.bin\n`;
}

function* whole(name: string, body: Buffer, seconds: number): Generator<Buffer> {
  yield tarHeader(name, body.length, seconds);
  yield body;
  yield tarPadding(body.length);
}

/** Entries with their lengths before them, gathered into pieces of some size. */
function* pieces(entries: Iterable<PhysicalEntry>): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for (const { key, value } of entries) {
    const name = Buffer.from(key);
    const frame = Buffer.alloc(frameBytes);
    frame.writeUInt32BE(name.length, 0);
    frame.writeUInt32BE(value.length, 4);
    waiting.push(frame, name, Buffer.from(value)); // copied: the value lies in the memory map
    size += frameBytes + name.length + value.length;
    if (size < pieceBytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}
