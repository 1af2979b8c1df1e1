import type { Section } from './section.ts';

const parts = ['auto-auth', 'caching', 'proxying', 'templating'];

/**
 * `disable_idle_connections` and `disable_keep_alives` name parts of an agent; they are checked as Vault Agent checks
 * them, and have no effect: there is one connection.
 */
export function checkConnectionFields(section: Section): void {
  for (const key of ['disable_idle_connections', 'disable_keep_alives']) {
    const unknown = section.texts(key).find((part) => !parts.includes(part.trim().toLowerCase()));
    if (unknown !== undefined)
      section.fail(`unknown ${key} value: ${unknown}`, section.entry(key), `known: ${parts.join(', ')}`);
  }
}

/** Addresses of collectors that an agent could push to. */
const pushed = [
  'statsite_address',
  'statsd_address',
  'dogstatsd_addr',
  'circonus_api_token',
  'stackdriver_project_id',
];

/**
 * The `telemetry` stanza: metrics are there for Prometheus on every listener without any setting; what asks for them to
 * be pushed somewhere gets a warning.
 * @returns warnings
 */
export function readTelemetry(section: Section): string[] {
  const telemetry = section.section('telemetry');
  if (telemetry === undefined) return [];
  telemetry.duration('prometheus_retention_time');
  for (const key of ['disable_hostname', 'enable_hostname_label']) telemetry.boolean(key);
  return pushed
    .filter((key) => (telemetry.text(key) ?? '') !== '')
    .map(
      (key) =>
        `telemetry.${key} is not served: metrics are at /agent/v1/metrics of a listener, for Prometheus`,
    );
}
