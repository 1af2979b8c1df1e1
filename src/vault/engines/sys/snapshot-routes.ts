import type { Context, Route } from '../../core/backend.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** A backup of everything and its way back, at the paths of Vault's own clients. What leaves is ciphertext. */
export function snapshotRoutes(): Route[] {
  return [
    {
      path: 'storage/raft/snapshot',
      sudo: true,
      operations: { read: save, update: (context) => stage(context, false) },
    },
    {
      path: 'storage/raft/snapshot-force',
      sudo: true,
      operations: { update: (context) => stage(context, true) },
    },
  ];
}

function save({ services, clock }: Context): Result {
  return {
    stream: { contentType: 'application/gzip', body: services.snapshots.save(clock.now()) },
  };
}

/** Receives and checks it; the swap itself comes after the record of this call, as sealing does. */
async function stage({ services, request }: Context, force: boolean): Promise<undefined> {
  if (request.upload === undefined) throw refuse('no snapshot was sent');
  await services.snapshots.stage(request.upload, force);
}
