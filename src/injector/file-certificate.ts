import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { Secret } from '../lib/secret.ts';
import type { CertificateSource, ServingCertificate } from './certificate-source.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty when the API servers learn the CA from somebody else. */
  readonly caFile: string;
}

/** Kubernetes swaps a mounted Secret by a symbolic link: looking at the content is what always notices. */
const pollMs = 1000;

interface Read {
  readonly serving: ServingCertificate;
  readonly caBundle: string | undefined;
}

/**
 * A certificate kept in files by somebody else (cert-manager, a Secret), read again when they change.
 * @throws MeshrootError `bad-certificate-files` when they cannot be used at the start
 */
export async function fileCertificate(
  files: CertificateFiles,
  clock: Clock,
  log: Logger,
): Promise<CertificateSource> {
  let state = await read(files).catch((error: unknown) => {
    throw new MeshrootError(
      'bad-certificate-files',
      `cannot serve with ${files.certFile}: ${messageOf(error)}`,
      {
        hint: 'check -tls-cert-file and -tls-key-file',
        cause: error,
      },
    );
  });
  return {
    get current() {
      return state.serving;
    },
    get caBundle() {
      return state.caBundle;
    },
    follow: async (onChange, signal) => {
      let lastProblem = '';
      while (await pause(clock, signal)) {
        try {
          const next = await read(files);
          lastProblem = '';
          if (same(state, next)) continue;
          state = next;
          log.info('certificate reloaded', { file: files.certFile });
          onChange();
        } catch (error) {
          // half a pair while it is being replaced, or gone: the last good one serves on
          if (messageOf(error) !== lastProblem)
            log.warn('certificate not reloaded', { error: messageOf(error) });
          lastProblem = messageOf(error);
        }
      }
    },
  };
}

async function read({ certFile, keyFile, caFile }: CertificateFiles): Promise<Read> {
  const [certificate, key, ca] = await Promise.all([
    readFile(certFile, 'utf8'),
    readFile(keyFile, 'utf8'),
    caFile === '' ? undefined : readFile(caFile, 'utf8'),
  ]);
  createSecureContext({ cert: certificate, key }); // throws when the key is another certificate's
  return { serving: { certificate, key: new Secret(key) }, caBundle: ca };
}

function same(a: Read, b: Read): boolean {
  return (
    a.serving.certificate === b.serving.certificate &&
    a.serving.key.reveal() === b.serving.key.reveal() &&
    a.caBundle === b.caBundle
  );
}

async function pause(clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  await clock.sleep(pollMs, signal).catch(() => {});
  return !signal.aborted;
}
