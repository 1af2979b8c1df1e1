import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MeshWorld, startMeshWorld } from '../test/support/mesh-world.ts';
import type { Sample } from './lib/measures.ts';
import type { Build, Limit, Mark, Plan, Question, Settings, Variant } from './lib/question.ts';
import { onceMeter, runOnce } from './lib/run-once.ts';

const counts = [10, 100, 1000];

const applying = ['apply', '--yes', '--json'] as const;

/** What is measured, whether all is there before it, and the exit code that it has to have: a plan that finds something says 1. */
const steps = [
  { name: 'plan, nothing there', applied: false, words: ['plan', '--json'], exit: 1 },
  { name: 'apply', applied: false, words: applying, exit: 0 },
  { name: 'plan, all there', applied: true, words: ['plan', '--json'], exit: 0 },
] as const;

/** What do plan and apply cost as the clusters of one mesh.yaml become more? */
export const meshClusters: Question = {
  name: 'mesh-clusters',
  prepare: async (settings: Settings): Promise<Plan> => plan(settings, new Worlds()),
};

const plan = (settings: Settings, worlds: Worlds): Plan => ({
  title: 'plan and apply over 10, 100 and 1,000 clusters',
  method: `our store and one API server for all, each with mounts of its own; a fresh one per sample, but that the last plan looks at what the apply left; ${onceMeter}`,
  measures: ['seconds', 'cpuSeconds', 'rss'],
  variants: counts.flatMap((count) =>
    settings.builds.flatMap((build) => variants({ build, count, settings, worlds })),
  ),
  marks: settings.builds.flatMap((build) => steps.map((step) => linear(build, step.name))),
  limits: settings.builds.flatMap(limitsOf),
  notes: ['the marks are for a machine of its own, with 2 cores: store, API server and program share them'],
  close: () => worlds.close(),
});

const nameOf = ({ name }: Build, count: number, step: string): string => `${name} ${count} clusters: ${step}`;

/** Ten times the clusters cost ten times as much, and not more. */
const linear = (build: Build, step: string): Mark => ({
  ours: nameOf(build, 1000, step),
  other: nameOf(build, 100, step),
  measure: 'cpuSeconds',
  atMost: 11,
});

const limitsOf = (build: Build): Limit[] =>
  ['plan, nothing there', 'plan, all there'].flatMap((step): Limit[] => {
    const ours = nameOf(build, 1000, step);
    return [
      { ours, measure: 'seconds', below: 60 },
      { ours, measure: 'rss', below: 400 },
    ];
  });

interface Case {
  readonly build: Build;
  readonly count: number;
  readonly settings: Settings;
  readonly worlds: Worlds;
}

const variants = ({ build, count, settings: { scratch }, worlds }: Case): Variant[] =>
  steps.map(({ name, applied, words, exit }) => ({
    name: nameOf(build, count, name),
    run: async (): Promise<Sample> => {
      const key = `${build.name} ${count}`;
      const world = (applied ? worlds.take(key) : undefined) ?? (await freshWorld(count, applied));
      const options = { scratch, cwd: world.dir, env: world.env, exit };
      const sample = await runOnce([...build.command, ...words], options).catch(async (error: unknown) => {
        await world.stop();
        throw error;
      });
      if (words === applying) await worlds.keep(key, world);
      else await world.stop();
      return sample;
    },
  }));

async function freshWorld(count: number, applied: boolean): Promise<MeshWorld> {
  const world = await startMeshWorld();
  writeFileSync(join(world.dir, 'mesh.yaml'), meshOf(world, count));
  if (applied) await world.run(...applying);
  return world;
}

/** Worlds that an apply has left for the plan after it: that of a thousand clusters takes minutes to make. */
class Worlds {
  readonly #kept = new Map<string, MeshWorld>();

  async keep(key: string, world: MeshWorld): Promise<void> {
    await this.take(key)?.stop();
    this.#kept.set(key, world);
  }

  take(key: string): MeshWorld | undefined {
    const world = this.#kept.get(key);
    this.#kept.delete(key);
    return world;
  }

  async close(): Promise<void> {
    for (const world of this.#kept.values()) await world.stop();
    this.#kept.clear();
  }
}

const meshOf = ({ vaultAddress }: MeshWorld, count: number): string => `apiVersion: meshroot/v1
kind: Mesh
vault: { address: "${vaultAddress}" }
clusters:
  - name: "edge-{n}"
    each: { from: 1, to: ${count} }
    kubeconfig: eu.kubeconfig
`;
