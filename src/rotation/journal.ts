import type { VaultClient } from '../client/vault-client.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import type { Phase, RotationState } from './decide.ts';
import { prepareState, stateMount } from './state-mount.ts';

const phases: readonly Phase[] = ['started', 'stored', 'delivered', 'confirmed'];

/** A state together with the version that the next write has to replace (check-and-set). */
export interface JournalEntry {
  readonly state: RotationState | undefined;
  readonly version: number;
}

/** The journal of a cluster's rotation as Vault holds it. */
export class RotationJournal {
  readonly #vault: VaultClient;
  readonly #path: string;

  constructor(vault: VaultClient, cluster: string) {
    this.#vault = vault;
    this.#path = `${stateMount}/data/rotation/${cluster}`;
  }

  /** Makes the mount when it is not there; safe to call at any time. */
  prepare(): Promise<void> {
    return prepareState(this.#vault);
  }

  async read(): Promise<JournalEntry> {
    const data = (await this.#vault.read(this.#path))?.data;
    const metadata = isRecord(data?.metadata) ? data.metadata : {};
    return { state: parseState(data?.data), version: Number(metadata.version ?? 0) };
  }

  /** @throws MeshrootError `rotation-busy` when another writer was faster */
  async write(state: RotationState, version: number): Promise<JournalEntry> {
    try {
      await this.#vault.write(this.#path, { data: state, options: { cas: version } });
    } catch (error) {
      if (!isLostRace(error)) throw error;
      throw new MeshrootError('rotation-busy', `another meshroot is rotating ${state.cluster}`, {
        hint: 'let it finish; running this command again then shows what it did',
        exit: 1,
        cause: error,
      });
    }
    return { state, version: version + 1 };
  }
}

function isLostRace(error: unknown): boolean {
  return error instanceof MeshrootError && error.status === 400 && error.message.includes('check-and-set');
}

/** What is not a state of ours is refused: a journal that cannot be read must not look like a fresh start. */
function parseState(data: unknown): RotationState | undefined {
  if (data === undefined || data === null) return undefined;
  if (!isRecord(data) || typeof data.cluster !== 'string' || !phases.includes(data.phase as Phase)) {
    throw new MeshrootError(
      'bad-journal',
      `${stateMount} holds a rotation journal that this meshroot cannot read`,
      {
        hint: 'a newer meshroot wrote it: use that one, or delete the entry when no rotation is under way',
      },
    );
  }
  const serial = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return {
    cluster: data.cluster,
    phase: data.phase as Phase,
    oldSerial: serial(data.oldSerial),
    newSerial: serial(data.newSerial),
    enteredAt: isRecord(data.enteredAt) ? (data.enteredAt as RotationState['enteredAt']) : {},
  };
}
