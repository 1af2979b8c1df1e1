import { isDeepStrictEqual } from 'node:util';
import type { VaultClient } from './vault-client.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What became of one thing. `left` is what stays behind, with the reason. */
export interface MigrationStep {
  readonly what: string;
  readonly change: 'made' | 'changed' | 'same' | 'left';
  readonly why?: string;
}

export interface MigrationOptions {
  readonly source: VaultClient;
  readonly target: VaultClient;
  /** Reads both, writes nothing. */
  readonly dryRun: boolean;
  /** Called for each thing as it is done. */
  readonly onStep: (step: MigrationStep) => void;
}

/** One run from a store to another: what both can say over HTTP is compared, and written where it differs. */
export class StoreMigration {
  readonly source: VaultClient;
  readonly target: VaultClient;
  readonly dryRun: boolean;
  readonly #onStep: (step: MigrationStep) => void;

  constructor({ source, target, dryRun, onStep }: MigrationOptions) {
    this.source = source;
    this.target = target;
    this.dryRun = dryRun;
    this.#onStep = onStep;
  }

  note(what: string, change: MigrationStep['change'], why?: string): void {
    this.#onStep({ what, change, ...(why === undefined ? {} : { why }) });
  }

  /** Undefined when there is nothing, or nothing yet: in a dry run a mount may be missing. */
  async targetData(path: string): Promise<Fields | undefined> {
    return (await this.read(this.target, path)) ?? undefined;
  }

  async read(client: VaultClient, path: string): Promise<Fields | undefined> {
    const { status, body } = await client.request('GET', path);
    if (status >= 400 && status < 500 && client === this.target) return undefined;
    return status === 404 ? undefined : ((body as { data?: Fields } | undefined)?.data ?? undefined);
  }

  /** Writes `fields` unless the target says the same already. */
  async put(path: string, fields: Fields): Promise<void> {
    const there = await this.targetData(path);
    if (there !== undefined && contains(there, fields)) {
      this.note(path, 'same');
      return;
    }
    if (!this.dryRun) await this.target.write(path, fields);
    this.note(path, there === undefined ? 'made' : 'changed');
  }
}

/** Whether every field has the same value there; a list's order does not count. */
function contains(there: Fields, wanted: Fields): boolean {
  return Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(sorted(there[key]), sorted(value)));
}

const sorted = (value: unknown): unknown => (Array.isArray(value) ? [...value].map(String).sort() : value);
