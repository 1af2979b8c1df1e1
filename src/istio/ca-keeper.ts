import { codeOf, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { SigningKey } from '../x509/signature.ts';
import { decideReload, reloadReasons } from './ca-reload.ts';
import { FileSigner, type SigningSet } from './ca-signer.ts';

export interface KeeperOptions {
  /** Reads the whole set anew. @throws MeshrootError when it cannot be read or must not be used */
  readonly source: SetSource;
  readonly multiRoot: boolean;
  readonly log: Logger;
  /** Told of every reload that did something; `code` names a refusal. */
  readonly onReload?: (result: { ok: boolean; code?: string }) => void;
}

/** A set and, for the log, where it comes from in istiod's words. */
export type SetSource = () => Promise<{ readonly kind: string; readonly set: SigningSet }>;

/** Holds the plugged-in set: the first must be good, later ones take over only whole and good; the last good one stays. */
export class BundleKeeper {
  readonly signer: FileSigner;
  readonly #options: KeeperOptions;
  #loaded: SigningSet;
  #lastFailure = '';
  #listeners: ((set: SigningSet) => Promise<void>)[] = [];

  private constructor(set: SigningSet, options: KeeperOptions) {
    this.#options = options;
    this.#loaded = set;
    this.signer = new FileSigner(set);
  }

  /** @throws MeshrootError with the reason why the files cannot be used; nothing is ever made up instead */
  static async open(options: KeeperOptions): Promise<BundleKeeper> {
    const { log } = options;
    log.info('creating CA and initializing public key');
    const { kind, set } = await options.source();
    log.info(`Using ${kind} for signing ca files`);
    log.info('Use local CA certificate');
    return new BundleKeeper(set, options);
  }

  /** `listener` is awaited before a reload counts as done (the serving certificate follows the CA). */
  onChange(listener: (set: SigningSet) => Promise<void>): void {
    this.#listeners.push(listener);
  }

  /** Looks at the folder again; never throws. True when what is on disk is what is in use. */
  async reload(): Promise<boolean> {
    try {
      const { set } = await this.#options.source();
      if (sameSet(set, this.#loaded)) {
        this.#lastFailure = '';
        return true;
      }
      return await this.#take(set);
    } catch (error) {
      return this.#refuse(codeOf(error) ?? 'reload-failed', messageOf(error), []);
    }
  }

  async #take(set: SigningSet): Promise<boolean> {
    const { log, multiRoot } = this.#options;
    const decision = decideReload(this.#loaded, set, multiRoot);
    if (!decision.accept) return this.#refuse(decision.code, reloadReasons[decision.code], decision.lines);
    log.info('Update Istiod cacerts');
    for (const line of decision.lines) log[line.level](line.text);
    const before = this.#loaded;
    this.#use(set);
    log.info('update root cert and generate new dns certs');
    if (decision.rootsChanged) log.info('Update trust anchor with new root cert');
    try {
      for (const listener of this.#listeners) await listener(set);
    } catch (error) {
      this.#use(before); // signer and serving certificate change together or not at all
      throw error;
    }
    log.info('Istiod has detected the newly added intermediate CA and updated its key and certs accordingly');
    this.#lastFailure = '';
    this.#options.onReload?.({ ok: true });
    return true;
  }

  #use(set: SigningSet): void {
    this.#loaded = set;
    this.signer.replace(set);
  }

  /** Says so once per reason: the poll comes by every few seconds while a bad set lies there. */
  #refuse(code: string, reason: string, lines: readonly { level: 'info' | 'warn'; text: string }[]): false {
    if (this.#lastFailure === reason) return false;
    this.#lastFailure = reason;
    const { log, onReload } = this.#options;
    log.info('Update Istiod cacerts');
    for (const line of lines) log[line.level](line.text);
    log.error(`Failed to update new Plug-in CA certs: ${reason}`);
    onReload?.({ ok: false, code });
    return false;
  }
}

function sameSet(a: SigningSet, b: SigningSet): boolean {
  const text = (set: SigningSet) => [set.certificate, ...set.chain].map((c) => c.fingerprint).join();
  return a.rootPem === b.rootPem && text(a) === text(b) && sameKey(a.privateKey, b.privateKey);
}

function sameKey(a: SigningKey, b: SigningKey): boolean {
  if ('sign' in a || 'sign' in b) return 'sign' in a && 'sign' in b && a.publicKey.equals(b.publicKey);
  return a.equals(b);
}
