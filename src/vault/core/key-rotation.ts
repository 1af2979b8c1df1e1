import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Services } from './services.ts';

/** When the data key is changed by itself. */
export interface RotationConfig {
  readonly enabled: boolean;
  /** Encryptions under one key. */
  readonly max_operations: number;
  /** Seconds; 0 = by count alone. */
  readonly interval: number;
}

export const rotationConfigPath = 'core/rotation-config';
/** Where AES-GCM with random nonces is still far from a collision (NIST SP 800-38D), as upstream. */
export const maxOperations = 3_865_470_566;
export const minOperations = 1_000_000;
/** Seconds. */
export const minInterval = 86_400;

export const defaultRotation: RotationConfig = { enabled: true, max_operations: maxOperations, interval: 0 };

const pause = 60_000;

/** Whether the data key has done enough. @param now milliseconds */
export function isRotationDue(services: Pick<Services, 'storage' | 'keyStatus'>, now: number): boolean {
  const { enabled, max_operations, interval } =
    services.storage.begin(false).get<RotationConfig>(rotationConfigPath) ?? defaultRotation;
  const { installed, encryptions } = services.keyStatus();
  if (!enabled) return false;
  return encryptions >= max_operations || (interval > 0 && now - installed >= interval * 1000);
}

/** Looks once a minute, until `signal` aborts. */
export async function rotationLoop(
  services: Services,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (isRotationDue(services, clock.now())) {
        await services.rotate();
        log.info('the data key was rotated', { term: services.keyStatus().term });
      }
    } catch (error) {
      if (!signal.aborted) log.error('the data key could not be rotated', { error: messageOf(error) });
    }
    await clock.sleep(pause, signal).catch(() => {});
  }
}
