import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MeshWorld, startMeshWorld } from '../test/support/mesh-world.ts';
import type { Sample } from './lib/measures.ts';
import type { Build, Limit, Mark, Plan, Question, Settings, Variant } from './lib/question.ts';
import { onceMeter, runOnce } from './lib/run-once.ts';

const counts = [10, 100, 1000];

/** What is measured, what came before it, and the exit code that it has to have: a plan that finds something says 1. */
const steps = [
  { name: 'plan, nothing there', before: [], words: ['plan', '--json'], exit: 1 },
  { name: 'apply', before: [], words: ['apply', '--yes', '--json'], exit: 0 },
  { name: 'plan, all there', before: ['apply', '--yes', '--json'], words: ['plan', '--json'], exit: 0 },
] as const;

/** What do plan and apply cost as the clusters of one mesh.yaml become more? */
export const meshClusters: Question = {
  name: 'mesh-clusters',
  prepare: async (settings: Settings): Promise<Plan> => ({
    title: 'plan and apply over 10, 100 and 1,000 clusters',
    method: `our store and one API server for all, each with mounts of its own; a fresh one per sample; ${onceMeter}`,
    measures: ['seconds', 'cpuSeconds', 'rss'],
    variants: counts.flatMap((count) => settings.builds.flatMap((build) => variants(build, count, settings))),
    marks: settings.builds.flatMap((build) => steps.map((step) => linear(build, step.name))),
    limits: settings.builds.flatMap(limitsOf),
    notes: ['the marks are for a machine of its own, with 2 cores: store, API server and program share them'],
  }),
};

const nameOf = ({ name }: Build, count: number, step: string): string => `${name} ${count} clusters: ${step}`;

/** Ten times the clusters cost ten times as much, and not more. */
const linear = (build: Build, step: string): Mark => ({
  ours: nameOf(build, 1000, step),
  other: nameOf(build, 100, step),
  measure: 'cpuSeconds',
  atMost: 11,
});

function limitsOf(build: Build): Limit[] {
  const plan = nameOf(build, 1000, 'plan, nothing there');
  return [
    { ours: plan, measure: 'seconds', below: 60 },
    { ours: plan, measure: 'rss', below: 400 },
  ];
}

function variants(build: Build, count: number, { scratch }: Settings): Variant[] {
  return steps.map(({ name, before, words, exit }) => ({
    name: nameOf(build, count, name),
    run: async (): Promise<Sample> => {
      const world = await startMeshWorld();
      try {
        writeFileSync(join(world.dir, 'mesh.yaml'), meshOf(world, count));
        if (before.length > 0) await world.run(...before);
        const options = { scratch, cwd: world.dir, env: world.env, exit };
        return await runOnce([...build.command, ...words], options);
      } finally {
        await world.stop();
      }
    },
  }));
}

const meshOf = ({ vaultAddress }: MeshWorld, count: number): string => `apiVersion: meshroot/v1
kind: Mesh
vault: { address: "${vaultAddress}" }
clusters:
  - name: "edge-{n}"
    each: { from: 1, to: ${count} }
    kubeconfig: eu.kubeconfig
`;
