import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, numberOf } from '../../core/fields.ts';
import {
  defaultRotation,
  maxOperations,
  minInterval,
  minOperations,
  type RotationConfig,
  rotationConfigPath,
} from '../../core/key-rotation.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** The data key: its state, a new one, and when there is a new one by itself. */
export function rotationRoutes(): Route[] {
  const fields = { enabled: 'bool', max_operations: 'int', interval: 'seconds' } as const;
  const configRoute = (path: string): Route => ({
    path,
    fields,
    operations: { read: readConfig, update: writeConfig },
  });
  return [
    { path: 'key-status', operations: { read: keyStatus } },
    { path: 'rotate', sudo: true, operations: { update: rotate } },
    { path: 'rotate/keyring', sudo: true, operations: { update: rotate } },
    configRoute('rotate/config'),
    configRoute('rotate/keyring/config'),
  ];
}

function keyStatus({ services }: Context): Result {
  const { term, installed, encryptions } = services.keyStatus();
  return { data: { term, install_time: new Date(installed).toISOString(), encryptions }, flatten: true };
}

async function rotate({ services }: Context): Promise<undefined> {
  await services.rotate();
}

const configOf = ({ transaction }: Context): RotationConfig =>
  transaction.get<RotationConfig>(rotationConfigPath) ?? defaultRotation;

function readConfig(context: Context): Result {
  const { interval, ...rest } = configOf(context);
  return { data: { ...rest, interval: interval === 0 ? 0 : goDuration(interval) } };
}

function writeConfig(context: Context): undefined {
  const { fields, transaction } = context;
  const before = configOf(context);
  const config: RotationConfig = {
    enabled: booleanOf(fields, 'enabled', before.enabled),
    max_operations: numberOf(fields, 'max_operations', before.max_operations),
    interval: numberOf(fields, 'interval', before.interval),
  };
  if (config.interval !== 0 && config.interval < minInterval) {
    throw refuse(`interval must be greater or equal to ${goDuration(minInterval)}`);
  }
  if (config.max_operations < minOperations || config.max_operations > maxOperations) {
    throw refuse(`max_operations must be in the range [${minOperations},${maxOperations}]`);
  }
  transaction.put(rotationConfigPath, config);
}

/** As Go writes it: `24h0m0s`. */
const goDuration = (seconds: number): string =>
  `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`;
