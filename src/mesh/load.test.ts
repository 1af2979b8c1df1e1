import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { loadMesh, meshJsonSchema, parseMesh } from './load.ts';

const smallest = `apiVersion: meshroot/v1
kind: Mesh
vault: { address: "https://vault.example:8200" }
clusters:
  - name: cluster1
    context: prod-eu
  - name: cluster2
    intermediate: { keyType: ec-p384, ttl: 30d }
`;

function refusal(text: string): MeshrootError {
  try {
    parseMesh(text, 'mesh.yaml');
  } catch (error) {
    if (error instanceof MeshrootError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('mesh.yaml', () => {
  test('the smallest useful file gets the defaults of the design', () => {
    const mesh = parseMesh(smallest, 'mesh.yaml');
    expect(mesh.trustDomain).toBe('cluster.local');
    expect(mesh.root).toEqual({ keyType: 'ec-p384', ttl: 10 * 365 * 86_400_000, mount: 'meshroot-root' });
    expect(mesh.clusters[0]).toMatchObject({
      name: 'cluster1',
      istiod: { namespace: 'istio-system', serviceAccount: 'istiod' },
      intermediate: { keyType: 'ec-p256', ttl: 90 * 86_400_000, delivery: 'file' },
    });
    expect(mesh.clusters[1]?.intermediate.ttl).toBe(30 * 86_400_000);
  });

  test('a typo is shown with file, line, column, a guess and the allowed words', () => {
    const error = refusal(smallest.replace('{ keyType: ec-p384', '{ keyTyp: ec-p384'));
    expect(error.code).toBe('bad-mesh-file');
    expect(error.message).toBe(
      'mesh.yaml:8:21  clusters[1].intermediate.keyTyp is not known here; did you mean keyType?   ' +
        '(known: keyType, ttl, renewAt, delivery, import)',
    );
  });

  test('a wrong word is shown with the allowed ones', () => {
    const error = refusal(smallest.replace('ec-p384', 'rsa-512'));
    expect(error.message).toBe(
      'mesh.yaml:8:21  clusters[1].intermediate.keyType must be ec-p256 or ec-p384 or rsa-4096',
    );
  });

  test('a missing part is named at its nearest place', () => {
    expect(refusal(smallest.replace(/vault:.*\n/, '')).message).toMatch(
      /^mesh.yaml:1:1 {2}vault is missing$/,
    );
  });

  test('broken YAML gets a line and column', () => {
    expect(refusal('a: [1, 2\nb: }').message).toMatch(/^mesh.yaml:\d+:\d+ {2}\S/);
  });

  test('two clusters of one name are refused', () => {
    expect(refusal(smallest.replace('cluster2', 'cluster1')).message).toBe(
      'mesh.yaml:7:5  clusters[1].name is taken by an earlier cluster',
    );
  });

  test('what does not go with a key that stays in Vault is refused, each at its cluster', () => {
    const eu = `{ name: eu, intermediate: { delivery: keyless, import: { folder: x } }, istiod: { deploy: {} }, access: [{ name: a, namespace: n, serviceAccount: s }] }`;
    const text = `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v" }\nroot: offline\nclusters: [${eu}]`;
    expect(refusal(text).message.match(/eu: .*/g)).toEqual([
      'eu: delivery: keyless needs a root in vault, not an offline one',
      'eu: delivery: keyless makes its own key, and imports none',
      'eu: delivery: keyless is for meshroot ca; istiod needs delivery: file',
      'eu: access a needs a path, for delivery: keyless has no bundle',
    ]);
  });

  test('a duration that is none is refused', () => {
    expect(refusal(smallest.replace('30d', 'soon')).message).toContain(
      'ttl is not a duration; write for example 90d',
    );
  });

  test('a file that is not there is a refusal with a way out', async () => {
    await expect(loadMesh('/nowhere/mesh.yaml')).rejects.toMatchObject({
      code: 'no-mesh-file',
      message: '/nowhere/mesh.yaml is not there',
    });
  });

  test('whatever the text, only a MeshrootError comes out', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.constant(smallest)),
        fc.nat(200),
        fc.string({ maxLength: 4 }),
        (text, i, noise) => {
          const mutated = text.slice(0, i) + noise + text.slice(i);
          try {
            parseMesh(mutated, 'm');
          } catch (error) {
            expect(error).toBeInstanceOf(MeshrootError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('the JSON Schema for editors knows the same words', () => {
    expect(JSON.stringify(meshJsonSchema())).toContain('"trustDomain"');
  });
});
