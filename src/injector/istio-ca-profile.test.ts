import { describe, expect, test } from 'vitest';
import { applyPatch, parsePatch } from '../lib/json-patch.ts';
import { reviewAdmission } from './review.ts';
import { defaultSettings } from './settings.ts';

const settings = { ...defaultSettings, vaultAddress: 'https://vault:8200' };
const mount = { name: 't', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
const istiod = (annotations: Record<string, string>, env?: unknown[]) => ({
  metadata: { name: 'istiod', annotations },
  spec: {
    volumes: [{ name: 't' }],
    containers: [
      { name: 'proxy' },
      { name: 'discovery', volumeMounts: [mount], ...(env === undefined ? {} : { env }) },
    ],
  },
});
const ask = (object: unknown, cluster = '') =>
  reviewAdmission({ request: { uid: 'u', namespace: 'istio-system', object } }, { ...settings, cluster })
    .review.response;

interface Patched {
  spec: {
    initContainers: { name: string; env: { name: string; value: string }[]; securityContext: unknown }[];
    containers: { name: string; env?: unknown; securityContext?: unknown }[];
  };
}
function patched(object: unknown, cluster = ''): Patched {
  const { patch = '' } = ask(object, cluster);
  return applyPatch(object, parsePatch(JSON.parse(Buffer.from(patch, 'base64').toString()))) as Patched;
}
function config({ spec }: Patched): { auto_auth: unknown; template: unknown[] } {
  const value = spec.initContainers[0]?.env.find(({ name }) => name === 'VAULT_CONFIG')?.value ?? '';
  return JSON.parse(Buffer.from(value, 'base64').toString());
}

describe('meshroot.io/istio-ca', () => {
  test('is the whole of the seed in one annotation, and a missing key is an error', () => {
    const pod = patched(istiod({ 'meshroot.io/istio-ca': 'true' }), 'cluster1');
    expect(config(pod)).toMatchObject({
      auto_auth: { method: { mount_path: 'auth/kubernetes-cluster1', config: { role: 'istiod' } } },
    });
    expect(config(pod).template).toEqual(
      ['ca-cert', 'ca-key', 'cert-chain', 'root-cert'].map((file) => ({
        destination: `/vault/secrets/${file}.pem`,
        contents: `{{- with secret "kubernetes-cluster1-secrets/istiod-service/certs" -}}\n{{ .Data.${file.replace('-', '_')} }}\n{{ end -}}\n`,
        left_delimiter: '{{',
        right_delimiter: '}}',
        perms: '0640',
        error_on_missing_key: true,
      })),
    );
    expect(pod.spec.containers[1]?.env).toEqual([{ name: 'ROOT_CA_DIR', value: '/vault/secrets' }]);
  });

  test("writes the files as istiod's own user, which nobody but that user and its group can read", () => {
    const agents = ({ spec }: Patched) =>
      [spec.initContainers[0], spec.containers.at(-1)].map((one) => one?.securityContext);
    const own = { runAsUser: 1337, runAsGroup: 1337, runAsNonRoot: true };
    const asked = { 'meshroot.io/istio-ca': 'true', 'meshroot.io/cluster': 'c1' };
    expect(agents(patched(istiod(asked)))).toMatchObject([own, own]);
    const other = patched(istiod({ ...asked, 'vault.hashicorp.com/agent-run-as-user': '7' }));
    expect(agents(other)[0]).toMatchObject({ runAsUser: 7 });
  });

  test('leaves a ROOT_CA_DIR that is there, and annotations of the pod win', () => {
    const env = [{ name: 'ROOT_CA_DIR', value: '/mine' }];
    const pod = patched(
      istiod(
        { 'meshroot.io/istio-ca': 'true', 'meshroot.io/cluster': 'c2', 'vault.hashicorp.com/role': 'mine' },
        env,
      ),
    );
    expect(pod.spec.containers[1]?.env).toEqual(env);
    expect(config(pod)).toMatchObject({
      auto_auth: { method: { mount_path: 'auth/kubernetes-c2', config: { role: 'mine' } } },
    });
  });

  test.each([
    [
      'needs a cluster',
      { 'meshroot.io/istio-ca': 'true' },
      'meshroot.io/istio-ca needs the name of the cluster: annotate meshroot.io/cluster or set -cluster',
    ],
    [
      'takes no template for a cluster',
      { 'meshroot.io/istio-ca': 'true', 'meshroot.io/cluster': 'a"}}' },
      'meshroot.io/cluster: "a"}}" is not the name of a cluster',
    ],
  ])('%s', (_, annotations, why) => {
    expect(ask(istiod(annotations))).toMatchObject({
      allowed: false,
      status: { message: `error checking if should inject agent: ${why}` },
    });
  });

  test('is off when it says false, or when agent-inject does', () => {
    expect(ask(istiod({ 'meshroot.io/istio-ca': 'false' }))).toEqual({ uid: 'u', allowed: true });
    expect(
      ask(istiod({ 'meshroot.io/istio-ca': 'true', 'vault.hashicorp.com/agent-inject': 'false' })),
    ).toEqual({ uid: 'u', allowed: true });
  });
});
