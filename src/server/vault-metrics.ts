import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../vault/core/metrics.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { metricsSummary } from './metrics-summary.ts';

/** Vault's names where a dashboard would look for them, and our own counters of what upstream does not count. */
export function createVaultMetrics(core: () => VaultCore | undefined, clock: Clock): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name, help, labelNames, registers });
  const requests = counter('meshroot_vault_requests_total', 'requests by mount, operation and status', [
    'mount',
    'operation',
    'status',
  ]);
  const denials = counter('meshroot_vault_denied_total', 'refusals by mount, role and reason', [
    'mount',
    'role',
    'reason',
  ]);
  const seconds = new Histogram({
    name: 'vault_core_handle_request_seconds',
    help: 'time to answer a request',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const tokens = counter('vault_token_creation', 'service tokens made', ['mount_point', 'token_type']);
  const auditFailures = counter(
    'vault_audit_log_request_failure',
    'audit records that a device did not take',
  );
  gauge(registers, 'vault_core_unsealed', 'whether the store is open', () =>
    core()?.services === undefined ? 0 : 1,
  );
  gauge(
    registers,
    'vault_expire_num_leases',
    'leases that are alive',
    () => core()?.services?.leases.size ?? 0,
  );
  gauge(
    registers,
    'vault_core_locked_users',
    'users who failed to log in too often',
    () => core()?.services?.lockout.locked(clock).length ?? 0,
  );
  const violations = counter('vault_quota_rate_limit_violation', 'requests beyond a rate limit', ['name']);
  return {
    limited: (name) => violations.inc({ name }),
    request: ({ mount, operation, status }, ms) => {
      requests.inc({ mount, operation, status: String(status) });
      seconds.observe(ms / 1000);
    },
    denied: (labels) => denials.inc({ ...labels }),
    tokenCreated: ({ mount, type }) => tokens.inc({ mount_point: mount, token_type: type }),
    auditFailure: () => auditFailures.inc(),
    text: () => registry.metrics(),
    summary: () => metricsSummary(registry, clock.now()),
  };
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}
