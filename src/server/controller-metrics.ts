import { Counter, Gauge, Registry } from 'prom-client';

/** What `meshroot serve` tells Prometheus; `group` is a cluster, or `mesh` for what all share. */
export class ControllerMetrics {
  readonly registry = new Registry();
  readonly reconciles = new Counter({
    name: 'meshroot_controller_reconciles_total',
    help: 'Times that a group was looked at, by outcome (ok, refused, unseen, failed)',
    labelNames: ['group', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly differences = new Gauge({
    name: 'meshroot_controller_differences',
    help: 'Resources that differed from mesh.yaml when the group was last looked at',
    labelNames: ['group'] as const,
    registers: [this.registry],
  });
  readonly lastSuccess = new Gauge({
    name: 'meshroot_controller_last_success_timestamp_seconds',
    help: 'When the group was last as mesh.yaml wants it',
    labelNames: ['group'] as const,
    registers: [this.registry],
  });
  readonly notAfter = new Gauge({
    name: 'meshroot_certificate_not_after_timestamp_seconds',
    help: 'When a CA certificate in Vault ends, by group',
    labelNames: ['group'] as const,
    registers: [this.registry],
  });
  readonly rotations = new Counter({
    name: 'meshroot_controller_rotations_total',
    help: 'Intermediates renewed because they were due, by cluster and outcome (ok, failed)',
    labelNames: ['group', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly meshFileValid = new Gauge({
    name: 'meshroot_controller_mesh_file_valid',
    help: '1 while mesh.yaml as it stands on disk is in force, 0 while an older one is because it is wrong',
    registers: [this.registry],
  });
  readonly leader = new Gauge({
    name: 'meshroot_controller_leader',
    help: '1 while this replica does the work',
    registers: [this.registry],
  });

  constructor(depth: () => number) {
    new Gauge({
      name: 'meshroot_controller_queue_depth',
      help: 'Groups that are due or being worked on',
      registers: [this.registry],
      collect() {
        this.set(depth());
      },
    });
  }

  /** A cluster that left mesh.yaml leaves the gauges too. */
  forget(group: string): void {
    for (const gauge of [this.differences, this.lastSuccess, this.notAfter]) gauge.remove({ group });
  }
}
