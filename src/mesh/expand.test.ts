import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { expandClusters } from './expand.ts';
import { loadMesh, parseMesh } from './load.ts';

const head = 'apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v:8200" }\n';
const pattern = (each: string, more = '') =>
  `${head}clusters:\n  - name: first\n  - name: "edge-{n}"\n    context: ctx-{n}\n    each: ${each}\n${more}`;

describe('a pattern of clusters', () => {
  test('becomes one cluster per number, with the number in all its texts', () => {
    const { clusters } = parseMesh(pattern('{ from: 9, to: 11 }'), 'm');
    expect(clusters.map(({ name, context }) => [name, context])).toEqual([
      ['first', undefined],
      ['edge-9', 'ctx-9'],
      ['edge-10', 'ctx-10'],
      ['edge-11', 'ctx-11'],
    ]);
  });

  test('with one mistake is told once, at its place', () => {
    expect(() => parseMesh(pattern('{ from: 1, to: 1000 }', '    kv: 3\n'), 'm')).toThrow(
      expect.objectContaining({ code: 'bad-mesh-file', message: 'm:9:5  clusters[1].kv must be 1 or 2' }),
    );
  });

  test.each([
    ['{ from: 3, to: 1 }', 'm:8:5  clusters[1].each must count upwards'],
    ['{ from: 1, to: 2, step: 2 }', 'clusters[1].each.step is not known here   (known: from, to)'],
  ])('%s is refused', (each, message) => {
    expect(() => parseMesh(pattern(each), 'm')).toThrow(message);
  });

  test('{n} without a count, and a number that makes a name twice, are refused at the name', () => {
    expect(() => parseMesh(`${head}clusters:\n  - name: "e-{n}"\n`, 'm')).toThrow(
      'm:5:5  clusters[0].name has {n} but no each: { from, to }',
    );
    const twice = `${head}clusters:\n  - name: one\n    each: { from: 1, to: 2 }\n`;
    expect(() => parseMesh(twice, 'm')).toThrow('m:5:5  clusters[0].name is taken by an earlier cluster');
  });

  test('whatever the data, every result knows where it came from', () => {
    fc.assert(
      fc.property(fc.anything(), (data) => {
        const { data: out, sources } = expandClusters(data);
        const list = (out as { clusters?: unknown } | null | undefined)?.clusters;
        if (Array.isArray(list)) expect(sources).toHaveLength(list.length);
      }),
    );
  });
});

describe('clustersFrom', () => {
  const dir = mkdtempSync(join(tmpdir(), 'clusters-from-'));
  const file = join(dir, 'mesh.yaml');
  mkdirSync(join(dir, 'clusters.d'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('takes one cluster per file, in the order of their names', async () => {
    writeFileSync(file, `${head}clustersFrom: clusters.d\n`);
    writeFileSync(join(dir, 'clusters.d', 'b.yaml'), 'name: b\nkubeconfig: b.kubeconfig\n');
    writeFileSync(join(dir, 'clusters.d', 'a.yaml'), 'name: "a{n}"\neach: { from: 1, to: 2 }\n');
    writeFileSync(join(dir, 'clusters.d', 'README.md'), 'not a cluster');
    const { clusters } = await loadMesh(file);
    expect(clusters.map(({ name }) => name)).toEqual(['a1', 'a2', 'b']);
    expect(clusters[2]?.kubeconfig).toBe(join(dir, 'b.kubeconfig'));
  });

  test('names the file of a mistake, and of a name that is taken', async () => {
    const other = join(dir, 'clusters.d', 'c.yaml');
    writeFileSync(other, 'name: c\nkeyType: x\n');
    await expect(loadMesh(file)).rejects.toMatchObject({
      code: 'bad-mesh-file',
      message: expect.stringMatching(/c\.yaml:2:1 {2}keyType is not known here/),
    });
    writeFileSync(other, 'context: x\nname: b\n');
    await expect(loadMesh(file)).rejects.toThrow(`${other}:2:1  name is taken by an earlier cluster`);
  });

  test('a folder that is not there, and no cluster at all, are refused', async () => {
    writeFileSync(file, `${head}clustersFrom: nowhere\n`);
    await expect(loadMesh(file)).rejects.toThrow(/clustersFrom: .*nowhere cannot be read: ENOENT/);
    expect(() => parseMesh(`${head}clusters: []\n`, 'm')).toThrow(
      'm:1:1  clusters needs at least one cluster',
    );
  });
});
