import { chmodSync, createWriteStream, type WriteStream } from 'node:fs';
import type { Certified } from '../istio/ca-authority.ts';
import type { Issued } from '../istio/ca-signer.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';

export interface CaLedger {
  write(certified: Certified, now: number): void;
  /** The certificate of the listener itself, by the same key as the others. */
  writeOwn(own: OwnCertificate, now: number): void;
  /** Writes on in a file of the same name: for a log rotation that has moved the old one away. Lines go to one or the other. */
  reopen(): void;
  /** Resolves when all lines are with the operating system. */
  close(): Promise<void>;
}

export interface OwnCertificate {
  readonly issued: Issued;
  readonly cluster: string;
  readonly pod?: string | undefined;
}

/**
 * One JSON line for every certificate: who asked, from which pod of which cluster, what was issued, and Vault's id of the
 * request that signed it. No keys, no tokens. A ledger that cannot be written is said in the log, and issuing goes on: a
 * full disk must not take the mesh down.
 * @param path a file (made with mode 0600, appended to), or `-` for stdout
 */
export function openLedger(path: string, log: Logger): CaLedger {
  if (path === '-') {
    return {
      write: (one, now) => void process.stdout.write(textOf(lineOf(one, now))),
      writeOwn: (own, now) => void process.stdout.write(textOf(ownLineOf(own, now))),
      reopen: () => {},
      close: async () => {},
    };
  }
  let out = appended(path, log);
  const leaving = new Set<Promise<void>>();
  const leave = () => {
    const old = out;
    const left = new Promise<void>((resolve) => old.end(() => resolve())).then(
      () => void leaving.delete(left),
    );
    leaving.add(left);
  };
  return {
    write: (one, now) => void out.write(textOf(lineOf(one, now))),
    writeOwn: (own, now) => void out.write(textOf(ownLineOf(own, now))),
    reopen: () => {
      leave();
      out = appended(path, log);
      log.info(`the ledger ${path} was opened again`);
    },
    close: async () => {
      leave();
      await Promise.all(leaving);
    },
  };
}

const textOf = (line: object): string => `${JSON.stringify(line)}\n`;

function appended(path: string, log: Logger): WriteStream {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  stream.on('open', () => {
    try {
      chmodSync(path, 0o600); // one that was there before may be open to more
    } catch (error) {
      log.warn(`cannot restrict the ledger ${path}: ${messageOf(error)}`);
    }
  });
  stream.on('error', (error) => log.error(`cannot write the ledger ${path}: ${error.message}`));
  return stream;
}

function ownLineOf({ issued, cluster, pod }: OwnCertificate, now: number): object {
  const names = issued.leaf.sans.dns;
  return {
    time: new Date(now).toISOString(),
    event: 'own',
    cluster,
    ...(pod ? { pod } : {}),
    names,
    ...factsOf(issued, now),
  };
}

function lineOf({ caller, uris, issued }: Certified, now: number): object {
  return {
    time: new Date(now).toISOString(),
    event: 'issued',
    caller: caller.uris.join(' '),
    via: caller.via,
    cluster: caller.clusterId,
    ...(caller.pod === undefined ? {} : { pod: caller.pod.name, pod_uid: caller.pod.uid }),
    ...(caller.account === undefined ? {} : { namespace: caller.account.namespace }),
    names: uris,
    ...factsOf(issued, now),
  };
}

function factsOf({ leaf, trust, requestId }: Issued, now: number): object {
  return {
    serial: leaf.serial,
    not_after: new Date(leaf.notAfter).toISOString(),
    ttl: Math.round((leaf.notAfter - now) / 1000),
    issuer_serial: trust.certificate.serial,
    ...(requestId === undefined || requestId === '' ? {} : { vault_request_id: requestId }),
  };
}
