import type { Measure, Sample } from './measures.ts';

/** One way to answer a question. `run` starts fresh processes, measures once and leaves nothing running. */
export interface Variant {
  readonly name: string;
  run(): Promise<Sample>;
}

/** What ours should reach beside another variant of the same run. Reported, never asserted. */
export interface Mark {
  readonly ours: string;
  readonly other: string;
  readonly measure: Measure;
  /** `median(ours) / median(other)`: at least this … */
  readonly atLeast?: number;
  /** … or at most this. */
  readonly atMost?: number;
}

/** What ours should stay below, whatever others do. Reported, never asserted. */
export interface Limit {
  readonly ours: string;
  readonly measure: Measure;
  readonly below: number;
}

export interface Plan {
  readonly title: string;
  /** Load generator, connections, what one operation is. */
  readonly method: string;
  readonly measures: readonly Measure[];
  readonly variants: readonly Variant[];
  readonly marks: readonly Mark[];
  readonly limits?: readonly Limit[];
  /** Peers that are not on PATH, offers that a build does not have: said below the table. */
  readonly notes: readonly string[];
  /** Ends what the variants shared. */
  close?(): Promise<void>;
}

export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  /** This checkout, and others to compare it with. */
  readonly builds: readonly Build[];
  /** A folder of this run, 0700. */
  readonly scratch: string;
}

/** One build of meshroot: what it is called in the table, and the words that start it. */
export interface Build {
  readonly name: string;
  readonly command: readonly string[];
}

export interface Question {
  readonly name: string;
  prepare(settings: Settings): Promise<Plan>;
}
