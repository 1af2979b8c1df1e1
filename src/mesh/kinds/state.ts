import { prepareState, stateMount } from '../../rotation/state-mount.ts';
import { isOurMount } from '../ownership.ts';
import { keep, type Resource } from '../resource.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** Where meshroot keeps what it has to remember between two commands; never on the machine that runs them. */
export function stateResource(): Resource<MountRow | undefined> {
  return {
    group: 'mesh',
    label: `state ${stateMount}`,
    summary: 'kv version 2: journals and locks, no secrets',
    observe: ({ vault }) => mountRow(vault, 'sys/mounts', stateMount),
    decide: (row) => (row === undefined ? { kind: 'add', lines: [] } : keep),
    write: ({ vault }) => prepareState(vault),
    undo: {
      exists: (row) => row !== undefined,
      made: isOurMount,
      remove: async ({ vault }) => {
        await vault.delete(`sys/mounts/${stateMount}`);
        return undefined;
      },
    },
  };
}
