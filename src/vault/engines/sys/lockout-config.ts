import { booleanOf, coerceFields, type Fields, numberOf, textOf } from '../../core/fields.ts';
import type { LockoutConfig } from '../../core/mount-entry.ts';
import { refuse } from '../../core/refusal.ts';

const tunable = ['userpass', 'approle'];

/** `user_lockout_config` of a tune over what was there. @param type of the auth mount. @throws Refusal 400 */
export function readLockout(sent: Fields, before: LockoutConfig | undefined, type: string): LockoutConfig {
  if (!tunable.includes(type)) {
    throw refuse(`tuning of user lockout configuration for auth type "${type}" not allowed`);
  }
  const fields = coerceFields(
    {
      lockout_threshold: 'string',
      lockout_duration: 'string',
      lockout_counter_reset_duration: 'string',
      lockout_disable: 'bool',
    },
    sent,
  );
  const threshold = textOf(fields, 'lockout_threshold');
  if (threshold !== '' && !/^\d{1,9}$/.test(threshold)) {
    throw refuse(
      `unable to parse user lockout threshold: strconv.ParseUint: parsing "${threshold}": invalid syntax`,
    );
  }
  return {
    threshold: threshold === '' ? (before?.threshold ?? 0) : Number(threshold),
    duration: seconds(fields, 'lockout_duration', before?.duration),
    counterReset: seconds(fields, 'lockout_counter_reset_duration', before?.counterReset),
    disabled: booleanOf(fields, 'lockout_disable', before?.disabled ?? false),
  };
}

/** `system` and 0 mean the server's own. */
function seconds(fields: Fields, name: string, before = 0): number {
  const said = textOf(fields, name);
  if (said === '') return before;
  return said === 'system' ? 0 : numberOf(coerceFields({ [name]: 'seconds' }, { [name]: said }), name);
}

/** As mounts and tunes show it. */
export function lockoutFields(lockout: LockoutConfig): Fields {
  return {
    user_lockout_counter_reset_duration: lockout.counterReset,
    user_lockout_disable: lockout.disabled,
    user_lockout_duration: lockout.duration,
    user_lockout_threshold: lockout.threshold,
  };
}
