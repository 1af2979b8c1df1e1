import { hostname } from 'node:os';
import { isProcessAlive } from '../lib/process-alive.ts';
import { takeApplyLock } from '../mesh/apply-lock.ts';
import type { Reach } from '../mesh/resource.ts';

/** The one lock of those that write a mesh. @returns how to let go of it. @throws MeshrootError `apply-running` */
export const lockMesh = ({ vault, clock }: Pick<Reach, 'vault' | 'clock'>): Promise<() => Promise<void>> =>
  takeApplyLock(vault, { clock, self: { host: hostname(), pid: process.pid }, isAlive: isProcessAlive });
