import { onPath } from '../../test/support/on-path.ts';
import { missing } from './peers.ts';
import type { Settings } from './question.ts';

export interface StoreProgram {
  readonly name: string;
  /** Up to and without `server`. */
  readonly command: readonly string[];
}

/** The builds of ours, and the real store of PATH: OpenBao, else Vault (called openbao too: the marks are the same). */
export function storePrograms({ builds }: Settings): { programs: StoreProgram[]; notes: string[] } {
  const ours = builds.map(({ name, command }) => ({ name, command: [...command, 'vault'] }));
  const peer = onPath('bao') ?? onPath('vault');
  if (peer === undefined) return { programs: ours, notes: [missing('bao')] };
  return { programs: [...ours, { name: 'openbao', command: [peer] }], notes: [] };
}
