import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { meshJsonSchema } from './json-schema.ts';
import { loadMesh, parseMesh } from './load.ts';

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

  test.each([
    [
      'ttl: 30d',
      'ttl: 90',
      '8:39  clusters[1].intermediate.ttl is not a duration; write for example 90d, 12h or 10y',
    ],
    ['context: prod-eu', 'context: 12', '6:5  clusters[0].context must be a text: write "12" in quotes'],
    [
      'context: prod-eu',
      'istiod: on',
      '6:5  clusters[0].istiod must be a block of keys   (known: namespace, serviceAccount, address, deploy)',
    ],
    ['context: prod-eu', 'access: a', '6:5  clusters[0].access must be a list, each entry behind a "-"'],
    [
      'context: prod-eu',
      'reviewer: cleint',
      '6:5  clusters[0].reviewer must be client or stored or jwks; did you mean client?',
    ],
    ['context: prod-eu', 'name: again', '6:5  name is written twice in one block'],
    ['context: prod-eu', 'injector: *none', '6:15  *none has no anchor &none before it'],
    [
      'clusters:',
      'root: Offline\nclusters:',
      '4:1  root must be a block of keys, or the word offline   (known: keyType, ttl, mount, import, offline)',
    ],
  ])('in the words of somebody who writes YAML: %s as %s', (old, text, line) => {
    expect(refusal(smallest.replace(old, text)).message).toBe(`mesh.yaml:${line}`);
  });

  test('several mistakes come in the order of the file, with what is left to do below them', () => {
    const error = refusal(smallest.replace('ec-p384', 'ec').replace('kind: Mesh', 'kind: Mash'));
    expect(error.message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'mesh.yaml:2:1',
      'mesh.yaml:8:21',
    ]);
  });

  test.each([
    ['', 'm:1:1  the file is empty; meshroot init writes one'],
    [`${smallest}---\na: b\n`, 'm:9:1  a second document begins here; a mesh is one'],
  ])('a file that is not one mesh: %j', (text, message) => {
    expect(() => parseMesh(text, 'm')).toThrow(expect.objectContaining({ code: 'bad-mesh-file', message }));
  });

  test('anchors and merges spare what clusters have in common', () => {
    const { clusters } = parseMesh(
      `${smallest}  - &us { name: us, context: prod-us, kv: 2 }\n  - { <<: *us, name: us2 }\n`,
      'm',
    );
    expect(clusters[3]).toMatchObject({ name: 'us2', context: 'prod-us', kv: 2 });
  });

  test('a gateway is called as its service account, and a root file may be called certificate', () => {
    const mesh = parseMesh(
      `${smallest}    gateways: [{ namespace: istio-ingress, serviceAccount: ingress.eu }]\nroot: { import: { certificate: c, key: k } }\n`,
      'm',
    );
    expect(mesh.clusters[1]?.gateways).toMatchObject([{ name: 'ingress.eu', serviceAccount: 'ingress.eu' }]);
    expect(mesh.root.import).toEqual({ cert: 'c', key: 'k' });
  });

  test('two roles of one name in a cluster are refused: the later would take the place of the earlier', () => {
    const access = (name: string) => `{ name: ${name}, namespace: n, serviceAccount: s }`;
    const text = `${smallest}    access: [${access('istiod')}, ${access('a')}, ${access('a')}]\n`;
    expect(refusal(text).message).toBe(
      'mesh.yaml:9:16  cluster2: there is a role istiod already\n' +
        'mesh.yaml:9:113  cluster2: there is a role a already',
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
      { numRuns: 200 },
    );
  });

  test('the JSON Schema for editors knows the same words', () => {
    expect(JSON.stringify(meshJsonSchema())).toContain('"trustDomain"');
  });
});
