import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ReviewResult } from './review.ts';

/** Under vault-k8s's names, so that its dashboards and alerts keep working. */
export interface InjectorMetrics {
  readonly registry: Registry;
  requestStarted(): void;
  requestEnded(ms: number): void;
  reviewed(result: ReviewResult): void;
}

/** A label has a value per namespace; who calls the webhook directly must not make them without end. */
const mostNamespaces = 5000;

export function createMetrics(): InjectorMetrics {
  const registry = new Registry();
  const registers = [registry];
  const queue = new Gauge({
    name: 'vault_agent_injector_request_queue_length',
    help: 'Requests being answered',
    registers,
  });
  const duration = new Histogram({
    name: 'vault_agent_injector_request_processing_duration_ms',
    help: 'Time to answer a request in milliseconds',
    buckets: [5, 10, 25, 50, 75, 100, 250, 500, 1000, 2500, 5000, 7500, 10000],
    registers,
  });
  const injections = new Counter({
    name: 'vault_agent_injector_injections_by_namespace_total',
    help: 'Pods injected',
    labelNames: ['namespace', 'injection_type'],
    registers,
  });
  const failures = new Counter({
    name: 'vault_agent_injector_failed_injections_by_namespace_total',
    help: 'Pods refused',
    labelNames: ['namespace'],
    registers,
  });
  const seen = new Set<string>();
  const bounded = (namespace: string): string => {
    if (seen.size < mostNamespaces && namespace.length <= 63) seen.add(namespace);
    return seen.has(namespace) ? namespace : '(other)';
  };
  return {
    registry,
    requestStarted: () => queue.inc(),
    requestEnded: (ms) => {
      queue.dec();
      duration.observe(ms);
    },
    reviewed: ({ namespace, injection }) => {
      if (injection === undefined) failures.inc({ namespace: bounded(namespace) });
      else if (injection.kind === 'injected' && (injection.init || injection.sidecar)) {
        injections.inc({ namespace: bounded(namespace), injection_type: injectionType(injection) });
      }
    },
  };
}

function injectionType({ init, sidecar }: { readonly init: boolean; readonly sidecar: boolean }): string {
  if (init && sidecar) return 'init_and_sidecar';
  return init ? 'init_only' : 'sidecar_only';
}
