import { readFileSync, writeFileSync } from 'node:fs';
import { helmTemplate } from '../test/support/helm.ts';
import { valueRows, valueTable, withTable } from './chart-table.ts';

/** What is made from the chart and committed: the table of its README, and plain manifests for kubectl. */
export const manifests = [
  {
    file: 'examples/manifests/injector.yaml',
    release: 'meshroot-injector',
    namespace: 'vault',
    values: 'examples/manifests/injector-values.yaml',
  },
  {
    file: 'examples/manifests/ca.yaml',
    release: 'meshroot-ca',
    namespace: 'istio-system',
    values: 'examples/manifests/ca-values.yaml',
  },
  {
    file: 'examples/manifests/serve.yaml',
    release: 'meshroot-serve',
    namespace: 'meshroot',
    values: 'examples/manifests/serve-values.yaml',
  },
] as const;

/** Files by their name from the root of the repository, as they should be. */
export async function chartFiles(): Promise<Map<string, string>> {
  const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const table = valueTable(valueRows(read('charts/meshroot/values.yaml')));
  const files = new Map([['charts/meshroot/README.md', withTable(read('charts/meshroot/README.md'), table)]]);
  for (const { file, release, namespace, values } of manifests) {
    const rendered = await helmTemplate(release, namespace, ['-f', values]);
    files.set(
      file,
      `# Rendered from charts/meshroot with ${values} by npm run charts; do not edit.\n${rendered}`,
    );
  }
  return files;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const [name, text] of await chartFiles()) {
    writeFileSync(new URL(`../${name}`, import.meta.url), text);
  }
}
