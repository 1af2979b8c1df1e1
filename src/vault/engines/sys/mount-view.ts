import type { Fields } from '../../core/fields.ts';
import type { MountEntry } from '../../core/mount-entry.ts';
import type { Mounted } from '../../core/router.ts';
import { lockoutFields } from './lockout-config.ts';

/** A mount as the API shows it. */
export function mountFields({ entry, backend }: Mounted): Fields {
  return {
    accessor: entry.accessor,
    config: configFields(entry),
    deprecation_status: 'supported',
    description: entry.description,
    external_entropy_access: false,
    local: entry.local,
    options: entry.options,
    plugin_version: '',
    running_plugin_version: backend.version,
    running_sha256: '',
    seal_wrap: entry.sealWrap,
    type: entry.type,
    uuid: entry.uuid,
  };
}

function configFields({ kind, config }: MountEntry): Fields {
  const { lockout, ...shown } = config;
  return {
    ...shown,
    ...(lockout === undefined ? {} : { user_lockout_config: lockoutFields(lockout) }),
    ...(kind === 'auth' ? { token_type: config.token_type ?? 'default-service' } : {}),
  };
}

/** All mounts of a kind by path. */
export function mountTable(mounts: readonly Mounted[]): Fields {
  return Object.fromEntries(mounts.map((mounted) => [mounted.entry.path, mountFields(mounted)]));
}
