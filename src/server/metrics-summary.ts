import type { Registry } from 'prom-client';
import type { Fields } from '../vault/core/fields.ts';

interface Row {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** The registry as Vault's own JSON: gauges with a value, counters with a sum, samples with count and sum. */
export async function metricsSummary(registry: Registry, now: number): Promise<Fields> {
  const [Gauges, Counters, Samples]: [Fields[], Fields[], Fields[]] = [[], [], []];
  for (const { name, type, values } of await registry.getMetricsAsJSON()) {
    for (const { value, labels, metricName } of values as readonly Value[]) {
      const row: Row = {
        Name: name.replace(/^vault_/, 'vault.').replace(/_/g, '.'),
        Labels: textsOf(labels),
      };
      if (String(type) === 'gauge') Gauges.push({ ...row, Value: value });
      else if (String(type) === 'counter') Counters.push({ ...row, Count: value, Sum: value });
      else if (metricName === `${name}_count`)
        Samples.push({ ...row, Count: value, ...sumOf(name, values, labels) });
    }
  }
  const Timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
  return { Timestamp, Gauges, Points: [], Counters, Samples };
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly metricName?: string;
}

const textsOf = (labels: Value['labels']): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));

function sumOf(name: string, values: readonly Value[], labels: Value['labels']): Fields {
  const same = JSON.stringify(labels);
  const sum = values.find((one) => one.metricName === `${name}_sum` && JSON.stringify(one.labels) === same);
  return { Sum: sum?.value ?? 0 };
}
