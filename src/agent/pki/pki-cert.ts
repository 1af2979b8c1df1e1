import { readFile } from 'node:fs/promises';
import { MeshrootError } from '../../lib/errors.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { GoFunction, GoSlice, GoStruct, type GoValue } from '../template/values.ts';
import type { FetchedPems } from './fetched-pems.ts';
import { type PemParts, pemParts } from './pem-parts.ts';

export interface PkiCertOptions {
  /** What the template writes, and where the certificate of the last run is found again. */
  readonly destination: string;
  /** Asks the store for a new one; its `data`. */
  readonly issue: () => Promise<Readonly<Record<string, unknown>>>;
  readonly now: number;
  /** 0 to 1, of the certificate's life. */
  readonly renewAfter: number;
}

/**
 * A certificate with key from Vault's PKI engine, as consul-template's `pkiCert`: that in the destination as long as
 * nine tenths of its life are not over, else a new one.
 * @throws MeshrootError `pki-cert` when the store gives one that is to be renewed at once
 */
export async function fetchPkiCert(options: PkiCertOptions): Promise<FetchedPems> {
  const known = await readFile(options.destination, 'utf8').catch(() => '');
  if (known !== '') {
    const parts = readable(known);
    const at = renewalTime(parts?.certificate, options);
    if (parts !== undefined && at !== undefined) return fetched(parts, at);
  }
  const parts = pemParts(textOf(await options.issue()));
  const at = renewalTime(parts.certificate, options);
  if (at !== undefined) return fetched(parts, at);
  throw new MeshrootError(
    'pki-cert',
    'needs renewal: the store gave no certificate that is good for a while',
    {
      exit: 1,
      hint: 'is the ttl long enough, and is it the certificate of a server or client? For a CA use istioCA',
    },
  );
}

/** What lies there may be something else, which the template is about to replace. */
function readable(text: string): PemParts | undefined {
  try {
    return pemParts(text);
  } catch {
    return undefined;
  }
}

/** When to ask for a new one, in ms since the epoch; undefined when that is now. */
function renewalTime(
  certificate: Certificate | undefined,
  { now, renewAfter }: PkiCertOptions,
): number | undefined {
  if (certificate === undefined || certificate.notAfter <= now) return undefined;
  const at = certificate.notBefore + (certificate.notAfter - certificate.notBefore) * renewAfter;
  return at > now ? at : undefined;
}

/** All PEM texts of the answer, one after the other. */
function textOf(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data)
    .flatMap(([key, value]) => (key === 'ca_chain' && Array.isArray(value) ? value : [value]))
    .filter((value) => typeof value === 'string' && value.includes('-----BEGIN'))
    .map((value) => `${String(value).trim()}\n`)
    .join('');
}

function fetched({ certificate, key, authorities }: PemParts, renewAt: number): FetchedPems {
  const fields = new Map<string, GoValue>([
    ['Cert', certificate?.pem ?? ''],
    ['Key', key],
    ['CA', authorities[0] ?? ''],
    ['CAChain', new GoSlice('[]string', authorities)],
  ]);
  const inner = new GoStruct('dependency.PemEncoded', fields);
  const data = new GoFunction([], 'dependency.PemEncoded', () => inner); // `.Data.Cert` works as well
  const value = new GoStruct('dependency.PemEncoded', fields, new Map([['Data', data]]));
  return { kind: 'pems', value, renewAt, text: `${certificate?.pem}${key}${authorities.join('')}` };
}
