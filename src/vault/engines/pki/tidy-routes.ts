import { goDuration } from '../../../lib/duration.ts';
import type { Context, Route } from '../../core/backend.ts';
import { type Fields, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { goTime } from './format.ts';
import { secondsOf } from './seconds.ts';
import { defaultTidy, type Tidy, type TidyConfig, tidyOperations } from './tidy.ts';

const schema: Schema = Object.fromEntries(
  Object.entries(defaultTidy).map(([name, value]) => [
    name,
    typeof value === 'boolean'
      ? 'bool'
      : name === 'page_size'
        ? 'int'
        : typeof value === 'number'
          ? 'seconds'
          : 'string',
  ]),
);

/** With the old name of `tidy_revoked_certs`. */
const onceSchema: Schema = { ...schema, tidy_revocation_list: 'bool' };

/** Removing what has expired: now, by itself, and how it went. */
export function tidyRoutes(tidy: Tidy): Route[] {
  return [
    { path: 'tidy', fields: onceSchema, operations: { update: (context) => start(context, tidy) } },
    { path: 'tidy-status', operations: { read: (context) => shown(context, tidy) } },
    {
      path: 'tidy-cancel',
      operations: {
        update: (context) => {
          if (!tidy.isRunning()) {
            return {
              data: null,
              warnings: ['Tidy operation cannot be cancelled as none is currently running.'],
            };
          }
          tidy.cancel();
          return shown(context, tidy);
        },
      },
    },
    {
      path: 'config/auto-tidy',
      fields: schema,
      operations: {
        read: ({ store }) => ({ data: { ...autoTidyOf(store) } }),
        update: (context) => configure(context),
      },
    },
  ];
}

const autoTidyOf = (store: Context['store']): TidyConfig =>
  store.get<TidyConfig>('config/auto-tidy') ?? defaultTidy;

function merged(before: TidyConfig, fields: Fields): TidyConfig {
  const revoked =
    'revoked_safety_buffer' in fields || !('safety_buffer' in fields)
      ? {}
      : { revoked_safety_buffer: fields.safety_buffer as number };
  const known = Object.entries(fields).filter(([name]) => Object.hasOwn(defaultTidy, name));
  const old = fields.tidy_revocation_list === true ? { tidy_revoked_certs: true } : {};
  const config: TidyConfig = { ...before, ...revoked, ...Object.fromEntries(known), ...old };
  if (config.safety_buffer < 1) throw refuse('safety_buffer must be greater than zero');
  if (config.revoked_safety_buffer < 1) throw refuse('revokedSafetyBuffer must be greater than zero');
  if (config.issuer_safety_buffer < 1) throw refuse('issuer_safety_buffer must be greater than zero');
  if (config.acme_account_safety_buffer < 1)
    throw refuse('acme_account_safety_buffer must be greater than zero');
  if (config.page_size > 0 && config.page_size < 5) throw refuse('page_size must be greater than five');
  return { ...config, page_size: Math.max(config.page_size, 5), pause_duration: pauseOf(config) };
}

function pauseOf({ pause_duration: text }: TidyConfig): string {
  let seconds: number;
  try {
    seconds = secondsOf(text === '' ? '0s' : text);
  } catch {
    throw refuse(`Error parsing pause_duration: time: invalid duration ${JSON.stringify(text)}`);
  }
  if (seconds < 0) throw refuse('received invalid, negative pause_duration');
  return goDuration(seconds * 1000);
}

const isAny = (config: TidyConfig): boolean => tidyOperations.some((name) => config[name]);

function start(context: Context, tidy: Tidy): Result {
  const config = merged(defaultTidy, context.fields);
  if (!tidy.start(context, { ...config, enabled: true })) {
    return { data: null, warnings: ['Tidy operation already in progress.'] };
  }
  const warning = isAny(config)
    ? "Tidy operation successfully started. Any information from the operation will be printed to OpenBao's server logs."
    : `Manual tidy requested but no tidy operations were set. Enable at least one tidy operation to be run (${tidyOperations.join(' / ')}).`;
  return { status: 202, data: null, warnings: [warning] };
}

function configure({ store, fields }: Context): Result {
  const config = merged(autoTidyOf(store), fields);
  if (config.enabled && !isAny(config)) {
    throw refuse(
      `Auto-tidy enabled but no tidy operations were requested. Enable at least one tidy operation to be run (${tidyOperations.join(' / ')}).`,
    );
  }
  if (config.publish_stored_certificate_count_metrics && !config.maintain_stored_certificate_counts) {
    throw refuse(
      'Can not publish a running storage metrics count to metrics without first maintaining that count.  Enable `maintain_stored_certificate_counts` to enable `publish_stored_certificate_count_metrics`.',
    );
  }
  if ('interval_duration' in fields && config.interval_duration < 1) {
    throw refuse(
      `given interval_duration must be at least one second; got: ${textOf(fields, 'interval_duration')}`,
    );
  }
  store.put('config/auto-tidy', config);
  return { data: { ...config } };
}

const shownConfig = [
  'safety_buffer',
  'revoked_safety_buffer',
  'issuer_safety_buffer',
  'acme_account_safety_buffer',
  ...tidyOperations,
  'pause_duration',
  'page_size',
] as const;

function shown({ mount }: Context, tidy: Tidy): Result {
  const status = tidy.status();
  const isIdle = status.state === 'Inactive';
  const none = <T>(value: T): T | null => (isIdle ? null : value);
  return {
    data: {
      ...Object.fromEntries(shownConfig.map((name) => [name, none(status.config[name])])),
      state: status.state,
      error: status.error,
      message: status.message,
      time_started: none(goTime(status.started)),
      time_finished: status.finished === 0 ? null : goTime(status.finished),
      cert_store_deleted_count: none(status.certificatesDeleted),
      revoked_cert_deleted_count: none(status.revokedDeleted),
      missing_issuer_cert_count: none(0),
      current_cert_store_count: null,
      current_revoked_cert_count: null,
      total_acme_account_count: none(0),
      acme_account_deleted_count: none(0),
      acme_account_revoked_count: none(0),
      acme_orders_deleted_count: none(0),
      internal_backend_uuid: mount.uuid,
    },
  };
}
