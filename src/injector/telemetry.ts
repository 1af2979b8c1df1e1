import type { Annotations } from './annotations.ts';
import { omitEmpty } from './omit-empty.ts';

/** The members of Vault Agent's `telemetry` stanza that are not strings. */
const kinds: Readonly<Record<string, 'bool' | 'int' | 'strings'>> = {
  maximum_gauge_cardinality: 'int',
  num_lease_metrics_buckets: 'int',
  disable_hostname: 'bool',
  enable_hostname_label: 'bool',
  add_lease_metrics_namespace_labels: 'bool',
  filter_default: 'bool',
  circonus_check_force_metric_activation: 'bool',
  stackdriver_debug_logs: 'bool',
  prefix_filter: 'strings',
  dogstatsd_tags: 'strings',
};

const strings = new Set([
  'usage_gauge_period',
  'lease_metrics_epsilon',
  'statsite_address',
  'statsd_address',
  'circonus_api_token',
  'circonus_api_app',
  'circonus_api_url',
  'circonus_submission_interval',
  'circonus_submission_url',
  'circonus_check_id',
  'circonus_check_instance_id',
  'circonus_check_search_tag',
  'circonus_check_display_name',
  'circonus_check_tags',
  'circonus_broker_id',
  'circonus_broker_select_tag',
  'dogstatsd_addr',
  'prometheus_retention_time',
  'stackdriver_project_id',
  'stackdriver_location',
  'stackdriver_namespace',
]);

const fits: Readonly<Record<'bool' | 'int' | 'strings' | 'string', (value: unknown) => boolean>> = {
  bool: (value) => typeof value === 'boolean',
  int: (value) => Number.isSafeInteger(value),
  strings: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  string: (value) => typeof value === 'string',
};

export interface Telemetry {
  readonly stanza: Readonly<Record<string, unknown>> | undefined;
  /** Parameter whose wrong type costs the pod the whole stanza (upstream drops it silently too). */
  readonly wrong: string | undefined;
}

/** The `telemetry` stanza of the annotations `agent-telemetry-PARAM`; unknown parameters are dropped. */
export function readTelemetry(annotations: Annotations): Telemetry {
  const given = annotations.allNamed('agent-telemetry');
  if (given.length === 0) return { stanza: undefined, wrong: undefined };
  const stanza: Record<string, unknown> = {};
  for (const [parameter, text] of given) {
    const name = parameter.replaceAll('-', '_').toLowerCase();
    const kind = kinds[name] ?? (strings.has(name) ? 'string' : undefined);
    const value = jsonOrText(text);
    if (kind === undefined || value === null) continue;
    if (!fits[kind](value)) return { stanza: undefined, wrong: parameter };
    stanza[name] = value;
  }
  return { stanza: omitEmpty(stanza), wrong: undefined };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
