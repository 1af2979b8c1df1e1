import { describe, expect, test } from 'vitest';
import { parseMesh } from './load.ts';

const mesh = (us: string) =>
  parseMesh(
    `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v:8200" }\nclusters:\n  - name: eu\n  - name: us\n${us}`,
    'm',
  );

describe('two clusters of one vault', () => {
  test.each([
    ['names: { authMount: kubernetes-eu }', 'auth/kubernetes-eu'],
    ['names: { policy: istiod-certs-eu }', 'policy istiod-certs-eu'],
    ['names: { secretsMount: kubernetes-eu-secrets }', 'kubernetes-eu-secrets/istiod-service/certs'],
  ])('%s is refused: the place is taken', (line, place) => {
    expect(() => mesh(`    ${line}\n`)).toThrow(
      expect.objectContaining({
        code: 'bad-mesh-file',
        message: `m:6:5  us has ${place}, which is eu's in the same vault`,
      }),
    );
  });

  test.each(['vault: { namespace: us }', 'vault: { address: "https://us:8200" }'])(
    'the same names are fine where the vault is another: %s',
    (vault) => {
      const { clusters } = mesh(`    names: { authMount: kubernetes-eu }\n    ${vault}\n`);
      expect(clusters).toHaveLength(2);
    },
  );
});
