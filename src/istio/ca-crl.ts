import { join } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import type { Logger } from '../lib/log.ts';
import { type Crl, isCrlSignedBy, parseCrls } from '../x509/crl.ts';
import { describeCertificate } from '../x509/describe.ts';
import { nameText } from '../x509/name.ts';
import type { TrustSet } from './ca-signer.ts';

/** ca-crl.pem beside the CA files; the proxies get it through a ConfigMap. */
export const crlFile = 'ca-crl.pem';

/**
 * The list of `folder`, or undefined when there is none.
 * @throws MeshrootError `bad-crl` (version 1 too), or `crl-missing` unless every certificate of the chain, roots too, has signed one:
 * istiod's rule, as a proxy that knows the list of one CA refuses peers of all others
 */
export async function readCrlFile(folder: string, trust: TrustSet): Promise<string | undefined> {
  const file = await readLimitedFile(join(folder, crlFile));
  if (file === undefined) return undefined;
  const text = file.bytes.toString('utf8');
  const lists = parseCrls(text);
  requireVersion2(lists);
  const without = [...trust.chain, ...trust.roots].filter(
    (one) => !lists.some((list) => isCrlSignedBy(list, one)),
  );
  if (without.length === 0) return text;
  const names = without.map(describeCertificate).join(', ');
  throw new MeshrootError('crl-missing', `missing CRL signed by certificates: [${names}]`, {
    exit: 1,
    hint: `put one list of each of them into ${crlFile}; the certificates need the cRLSign usage`,
  });
}

/** Go reads no other version: istiod refuses the file, and proxies that got it another way may too. */
function requireVersion2(lists: readonly Crl[]): void {
  const old = lists.find(({ version }) => version !== 2);
  if (old === undefined) return;
  throw new MeshrootError(
    'bad-crl',
    `the list of ${nameText(old.issuer)} is of version 1, which istiod does not read`,
    {
      exit: 1,
      hint: 'make it with extensions: openssl ca -gencrl -crlexts SECTION, with authorityKeyIdentifier=keyid in it',
    },
  );
}

/** The list in use: a later one takes over only when it is good; one that is taken away is gone. */
export class CrlKeeper {
  readonly #folder: string;
  readonly #trust: () => TrustSet;
  readonly #log: Logger;
  #text: string | undefined;
  #lastFailure = '';

  private constructor(folder: string, trust: () => TrustSet, log: Logger, text: string | undefined) {
    this.#folder = folder;
    this.#trust = trust;
    this.#log = log;
    this.#text = text;
  }

  static async open(folder: string, trust: () => TrustSet, log: Logger): Promise<CrlKeeper> {
    const text = await readCrlFile(folder, trust());
    if (text !== undefined) log.info('Detected CRL file');
    return new CrlKeeper(folder, trust, log, text);
  }

  get text(): string | undefined {
    return this.#text;
  }

  /** Looks again; true when the list changed. Never throws. */
  async reload(): Promise<boolean> {
    try {
      const next = await readCrlFile(this.#folder, this.#trust());
      this.#lastFailure = '';
      if (next === this.#text) return false;
      this.#log.info('Updating CRL data');
      this.#text = next;
      return true;
    } catch (error) {
      const reason = `${codeOf(error)}: ${messageOf(error)}`;
      if (reason !== this.#lastFailure) this.#log.error(`Failed to update the CRL: ${messageOf(error)}`);
      this.#lastFailure = reason;
      return false;
    }
  }
}
