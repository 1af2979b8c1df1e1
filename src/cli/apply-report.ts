import { humanDuration } from '../lib/duration.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { type ClusterFailure, failuresError } from '../mesh/each-cluster.ts';
import type { PlannedResource } from '../mesh/plan.ts';
import { isWriting } from '../mesh/resource.ts';
import type { Io } from './io.ts';

/** What one apply did: told as it happens, and summed up at the end. */
export class ApplyReport {
  /** Clusters that were left out, and why. */
  readonly skipped = new Map<string, string>();
  readonly failures: ClusterFailure[] = [];
  readonly #io: Io;
  readonly #json: boolean;
  readonly #written: { group: string; label: string; action: string }[] = [];
  readonly #proofs: { cluster: string; seen: string }[] = [];
  readonly #waiting = new Map<string, { why: string; next: string }>();

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.#json = json;
  }

  /** Whether a cluster went all the way, so that a proof can be asked for. */
  isDone(cluster: string): boolean {
    const failed = this.failures.some((failure) => failure.cluster === cluster);
    return !failed && !this.#waiting.has(cluster) && !this.skipped.has(cluster);
  }

  done({ decision, resource: { group, label } }: PlannedResource, milliseconds: number): void {
    if (decision.kind === 'wait') this.#waiting.set(group, { why: decision.why, next: decision.next });
    if (!isWriting(decision)) return;
    this.#written.push({ group, label, action: decision.kind });
    this.#print(`  ${group.padEnd(12)} ${label.padEnd(50)} ${humanDuration(milliseconds)}`);
  }

  proof(cluster: string, seen: string): void {
    this.#proofs.push({ cluster, seen });
    this.#print(`  proof ${cluster.padEnd(12)} ${seen}`);
  }

  /** A line beside the result. */
  note(line: string): void {
    if (!this.#json) this.#io.stderr.write(`${line}\n`);
  }

  /**
   * The summary. As JSON it holds the failures too.
   * @throws the failures, when it is text
   */
  end(resources: number, clusters: number): void {
    for (const [name, { why, next }] of this.#waiting)
      this.note(`  ${name.padEnd(12)} ${why}\n      ${next}`);
    for (const [name, why] of this.skipped) this.note(`  ${name.padEnd(12)} left out: ${why}`);
    if (this.#waiting.size + this.skipped.size + this.failures.length > 0) this.#io.exitCode = 1;
    const wanted = this.failures.length === 0 ? `, ${resources} as wanted` : '';
    this.#print(`${this.#written.length} written${wanted}`);
    if (this.#json) this.#io.stdout.write(`${JSON.stringify(this.#summary(clusters))}\n`);
    else if (this.failures.length > 0) throw failuresError(this.failures, clusters);
  }

  #summary(clusters: number): object {
    return {
      proofs: this.#proofs,
      skipped: [...this.skipped].map(([cluster, why]) => ({ cluster, why })),
      waiting: [...this.#waiting].map(([cluster, { why, next }]) => ({ cluster, why, next })),
      written: this.#written,
      failed: this.failures.map(({ cluster, error }) => ({ cluster, ...told(error) })),
      ...(this.failures.length > 0 && { error: told(failuresError(this.failures, clusters)) }),
    };
  }

  #print(line: string): void {
    if (!this.#json) this.#io.stdout.write(`${line}\n`);
  }
}

const told = (error: unknown): object =>
  error instanceof MeshrootError ? error.toJSON() : { code: 'failed', message: messageOf(error) };
