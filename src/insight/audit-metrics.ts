import { Counter, Gauge, Registry } from 'prom-client';
import type { AuditRecord } from './audit-record.ts';
import type { Denial } from './denials.ts';

/** Prometheus metrics out of an audit log: who was refused where, and why, beside what was allowed. */
export class AuditMetrics {
  readonly registry = new Registry();
  readonly #denials = new Counter({
    name: 'meshroot_vault_denials_total',
    help: 'Requests that Vault refused, by mount, role of the caller and reason',
    labelNames: ['mount', 'role', 'reason'] as const,
    registers: [this.registry],
  });
  readonly #requests = new Counter({
    name: 'meshroot_vault_requests_total',
    help: 'Requests that Vault answered, by mount, operation and outcome (ok, refused)',
    labelNames: ['mount', 'operation', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly #lastDenial = new Gauge({
    name: 'meshroot_vault_last_denial_timestamp_seconds',
    help: 'When Vault last refused something, by mount',
    labelNames: ['mount'] as const,
    registers: [this.registry],
  });
  readonly #unreadable = new Counter({
    name: 'meshroot_audit_unreadable_lines_total',
    help: 'Lines of the audit log that are no audit records',
    registers: [this.registry],
  });

  /** Counts one response record; `denial` is what the classifier said of it. */
  count(record: AuditRecord, denial: Denial | undefined): void {
    if (record.type !== 'response') return;
    const { mount, operation } = record;
    this.#requests.inc({ mount, operation, outcome: denial === undefined ? 'ok' : 'refused' });
    if (denial === undefined) return;
    this.#denials.inc({ mount, role: denial.role, reason: denial.reason });
    this.#lastDenial.set({ mount }, denial.time / 1000);
  }

  countUnreadable(): void {
    this.#unreadable.inc();
  }
}
