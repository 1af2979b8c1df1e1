import { MeshrootError, messageOf } from '../lib/errors.ts';
import { hintFor } from './hints.ts';

/** A pod that asked for injection and cannot have it: admission answers `allowed: false` with this message. */
export function refusal(message: string): MeshrootError {
  return new MeshrootError('injection-refused', message, { exit: 1 });
}

/** For a configuration that was to go into a ConfigMap, which everybody of its namespace may read. */
export function refuseSecret(place: string): MeshrootError {
  return new MeshrootError(
    'injection-refused',
    `${place} of the agents' configuration looks like a secret, and a ConfigMap is no place for one`,
    { exit: 1, hint: 'name a file that holds it, or write meshroot.io/config-map: "false"' },
  );
}

/** Runs one stage of the injection; what it throws gets the stage's prefix, as vault-k8s words it, and a hint. */
export function stage<T>(prefix: string, run: () => T, separator = ': '): T {
  try {
    return run();
  } catch (error) {
    const message = `${prefix}${separator}${messageOf(error)}`;
    const hint = error instanceof MeshrootError && error.hint !== undefined ? error.hint : hintFor(message);
    throw new MeshrootError('injection-refused', message, {
      exit: 1,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
