import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { valueRows } from '../../../scripts/chart-table.ts';
import { chartFiles } from '../../../scripts/charts.ts';
import { command as caCommand } from '../../../src/cli/ca.ts';
import { command as serveCommand } from '../../../src/cli/serve.ts';
import { inject } from '../../../src/injector/inject.ts';
import { defaultSettings } from '../../../src/injector/settings.ts';
import { applyPatch } from '../../../src/lib/json-patch.ts';
import { bundleAnnotations } from '../../../src/mesh/istiod-manifests.ts';
import { parseMesh } from '../../../src/mesh/load.ts';
import { helm } from '../../support/helm.ts';
import { restrictedViolations } from '../../support/pod-security.ts';
import { at, render, theOnly, valueFiles } from './rendered.ts';

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const caValues = 'charts/meshroot/ci/ca-values.yaml';
const injectorValues = 'charts/meshroot/ci/injector-values.yaml';
type Spec = Parameters<typeof restrictedViolations>[0];
const podSpec = (deployment: unknown): Spec => at(deployment, 'spec', 'template', 'spec') as Spec;

const cluster1 = () => {
  const mesh = parseMesh(
    'apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: https://v }\nclusters: [{ name: cluster1 }]\n',
    'mesh.yaml',
  );
  return [mesh, mesh.clusters[0]!] as const;
};

describe('the chart', () => {
  test('passes helm lint --strict with its defaults', async () => {
    const { code, stdout } = await helm(['lint', '--strict', 'charts/meshroot']);
    expect(code, stdout).toBe(0);
  });

  test.each(valueFiles)(
    'with %s: lint passes, no Secret, no key, restricted pods, limits and probes',
    async (values) => {
      const { code, stdout } = await helm(['lint', '--strict', 'charts/meshroot', '-f', values]);
      expect(code, stdout).toBe(0);
      const objects = await render(values, 'mesh');
      expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
      expect(JSON.stringify(objects)).not.toMatch(/PRIVATE KEY|BEGIN [A-Z ]*KEY/);
      expect(objects.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining([
          'NetworkPolicy',
          'PodDisruptionBudget',
          'Service',
          'Deployment',
          'ClusterRole',
        ]),
      );
      const spec = podSpec(theOnly(objects, 'Deployment'));
      expect(restrictedViolations(spec)).toEqual([]);
      expect(at(spec, 'containers', 0)).toMatchObject({
        securityContext: { readOnlyRootFilesystem: true, runAsUser: 65532 },
        resources: { requests: { cpu: expect.anything() }, limits: { memory: expect.anything() } },
        livenessProbe: expect.anything(),
        readinessProbe: expect.anything(),
        startupProbe: expect.anything(),
      });
    },
  );

  test.each(valueFiles)(
    'with %s: selectors find the pods, and names that objects give each other exist',
    async (values) => {
      const objects = await render(values, 'mesh');
      const labels = at(theOnly(objects, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
      for (const [kind, ...path] of [
        ['Service', 'spec', 'selector'],
        ['PodDisruptionBudget', 'spec', 'selector', 'matchLabels'],
        ['NetworkPolicy', 'spec', 'podSelector', 'matchLabels'],
        ['Deployment', 'spec', 'selector', 'matchLabels'],
      ] as const) {
        expect(labels, kind).toMatchObject(at(theOnly(objects, kind), ...path) as object);
      }
      const account = podSpec(theOnly(objects, 'Deployment')).serviceAccountName;
      const bindings = objects.filter(({ kind }) => kind === 'ClusterRoleBinding');
      expect(bindings.length).toBeGreaterThan(0);
      for (const binding of bindings) {
        expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account, namespace: 'mesh' }]);
      }
    },
  );

  test('has a heap limit of node below the memory limit, for every component', () => {
    const values: unknown = parse(read('charts/meshroot/values.yaml'));
    for (const part of ['injector', 'ca', 'serve']) {
      const heap = Number(/--max-old-space-size=(\d+)/.exec(String(at(values, part, 'nodeOptions')))?.[1]);
      const limit = Number.parseInt(String(at(values, part, 'resources', 'limits', 'memory')), 10);
      expect(heap).toBeGreaterThan(32);
      expect(heap).toBeLessThanOrEqual(limit * 0.6);
    }
  });

  test('the pod of the CA is restricted after injection too, and only its user can read the key', async () => {
    const pod = at(
      theOnly(await render(caValues, 'istio-system'), 'Deployment'),
      'spec',
      'template',
    ) as object;
    const spec = at(pod, 'spec') as object;
    const mounted = { name: 'kube-api-access', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const admitted = {
      ...pod,
      spec: { ...spec, containers: [{ ...(at(spec, 'containers', 0) as object), volumeMounts: [mounted] }] },
    };
    const injection = inject(admitted, 'istio-system', {
      ...defaultSettings,
      vaultAddress: 'https://vault.example:8200',
    });
    if (injection.kind !== 'injected') throw new Error(injection.kind);
    const after = at(applyPatch(admitted, injection.patch), 'spec') as Spec;
    expect(restrictedViolations(after)).toEqual([]);
    expect(at(after, 'initContainers', 0)).toMatchObject({
      name: 'vault-agent-init',
      securityContext: { runAsUser: 65532, runAsGroup: 65532 },
    });
    const env = at(after, 'initContainers', 0, 'env') as { name: string; value?: string }[];
    const config: unknown = JSON.parse(
      Buffer.from(env.find(({ name }) => name === 'VAULT_CONFIG')?.value ?? '', 'base64').toString(),
    );
    const templates = at(config, 'template') as { destination: string; perms?: string }[];
    expect(templates.map(({ destination }) => destination).sort()).toEqual(
      ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'].map(
        (name) => `/vault/secrets/${name}`,
      ),
    );
    expect(templates.find(({ destination }) => destination.endsWith('ca-key.pem'))?.perms).toBe('0400');
  });

  test('the CA asks for the bundle as istiod does', async () => {
    const deployment = theOnly(await render(caValues, 'istio-system'), 'Deployment');
    const annotations = at(deployment, 'spec', 'template', 'metadata', 'annotations');
    expect(annotations).toMatchObject(bundleAnnotations(...cluster1()));
  });

  test('the CA may do what it does and not more', async () => {
    expect(theOnly(await render(caValues, 'istio-system'), 'ClusterRole').rules).toEqual([
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['istio-ca-root-cert', 'istio-ca-crl'],
        verbs: ['get', 'list', 'watch', 'update'],
      },
    ]);
  });

  const keyless = (signer: string) => render(`charts/meshroot/ci/ca-${signer}-values.yaml`, 'istio-system');

  test('a CA whose key is in Vault logs in by itself: a token for that Vault alone, whom to believe, and no agent', async () => {
    const objects = await keyless('vault-pki');
    const pod = at(theOnly(objects, 'Deployment'), 'spec', 'template');
    expect(Object.keys(at(pod, 'metadata', 'annotations') as object)).toEqual(['checksum/certificates']);
    expect(at(pod, 'spec', 'containers', 0, 'args')).toEqual([
      'ca',
      '--listen=:15012',
      '--metrics=:15014',
      '--signer=vault-pki',
      '--vault-address=https://vault.example:8200',
      '--vault-auth-path=kubernetes-cluster1',
      '--vault-role=meshroot-ca',
      '--vault-jwt-file=/var/run/secrets/meshroot-vault/token',
      '--vault-ca-cert=/etc/meshroot-ca/vault-ca.pem',
      '--vault-pki=pki/cluster1',
      '--vault-pki-role=istio',
      '--rate-limit=500/s',
      '--ledger=-',
      '--reserve-dir=/reserve',
      '--reserve-passphrase-file=/reserve-passphrase/passphrase',
    ]);
    expect(at(pod, 'spec', 'volumes', 0, 'projected', 'sources')).toEqual([
      { serviceAccountToken: { path: 'token', expirationSeconds: 3600, audience: 'https://vault.example' } },
    ]);
    expect(theOnly(objects, 'ConfigMap').data).toEqual({
      'vault-ca.pem': '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n',
    });
    expect(at(theOnly(objects, 'NetworkPolicy'), 'spec', 'egress', 2)).toEqual({
      ports: [{ protocol: 'TCP', port: 8200 }],
      to: [{ ipBlock: { cidr: '192.0.2.10/32' } }],
    });
  });

  test.each(['vault-pki', 'vault-transit'])('the flags of %s are flags of meshroot ca', async (signer) => {
    const args = at(
      theOnly(await keyless(signer), 'Deployment'),
      'spec',
      'template',
      'spec',
      'containers',
      0,
      'args',
    );
    const given = (args as string[]).slice(1).map((arg) => arg.split('=')[0]);
    const known = caCommand({} as Parameters<typeof caCommand>[0]).options.map(({ long }) => long);
    expect(given.filter((flag) => !known.includes(flag))).toEqual([]);
  });

  test('one replica writes the ConfigMaps, and it may see whether istiod does', async () => {
    expect(theOnly(await render(caValues, 'istio-system'), 'Role').rules).toEqual([
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: ['meshroot-ca-root-publisher'],
        verbs: ['get', 'update'],
      },
      {
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: ['istio-namespace-controller-election'],
        verbs: ['get'],
      },
    ]);
  });

  test.each([
    ['https://vault.example:8200', 8200],
    ['https://vault.example', 443],
    ['http://vault.example/', 80],
    ['https://[fd00::1]:8443', 8443],
    ['https://[fd00::1]', 443],
  ])('the network policy of the CA lets its agents reach %s', async (address, port) => {
    const policy = theOnly(await render(caValues, 'm', [`vault.address=${address}`]), 'NetworkPolicy');
    expect(at(policy, 'spec', 'egress', 2, 'ports')).toEqual([{ protocol: 'TCP', port }]);
  });
});

describe('the controller of the chart', () => {
  const values = 'charts/meshroot/ci/serve-full-values.yaml';
  const pod = async (file: string) =>
    at(theOnly(await render(file, 'meshroot'), 'Deployment'), 'spec', 'template');

  test('is started with flags that it has', async () => {
    const args = at(await pod(values), 'spec', 'containers', 0, 'args') as string[];
    const known = serveCommand({} as Parameters<typeof serveCommand>[0]).options.map(({ long }) => long);
    expect(args).toEqual(expect.arrayContaining(['--observe-only', '--vault-rate=200']));
    const flags = args.slice(1).map((arg) => arg.split('=')[0]);
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
  });

  test('finds beside its mesh.yaml what that names, and starts anew when it changes', async () => {
    const objects = await render(values, 'meshroot');
    expect(theOnly(objects, 'ConfigMap').data).toEqual({
      'mesh.yaml': expect.stringContaining('caCert: vault-ca.pem'),
      'vault-ca.pem': '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n',
      'other-vault-ca.pem': '-----BEGIN CERTIFICATE-----\nMIIBAAAB\n-----END CERTIFICATE-----\n',
    });
    const template = await pod(values);
    expect(at(template, 'metadata', 'annotations')).toMatchObject({
      'checksum/files': expect.stringMatching(/^[0-9a-f]{64}$/),
      'vault.hashicorp.com/role': 'meshroot-serve',
      'example.com/a': 'b',
    });
    expect(at(template, 'spec', 'containers', 0, 'volumeMounts')).toEqual(
      ['/etc/meshroot', '/etc/meshroot-kubeconfigs', '/etc/meshroot-clusters'].map((mountPath) =>
        expect.objectContaining({ mountPath, readOnly: true }),
      ),
    );
  });

  test('may only read when it only observes', async () => {
    const { rules } = theOnly(await render(values, 'meshroot'), 'ClusterRole');
    expect((rules as { verbs: string[] }[]).flatMap(({ verbs }) => verbs)).toEqual(Array(4).fill('get'));
  });

  test('reaches istiods where it renews', async () => {
    const ports = async (file: string) =>
      (at(theOnly(await render(file, 'm'), 'NetworkPolicy'), 'spec', 'egress') as { ports: object[] }[]).at(
        -1,
      )?.ports;
    expect(await ports('charts/meshroot/ci/serve-values.yaml')).toEqual([{ protocol: 'TCP', port: 15012 }]);
    expect(await ports(values)).toEqual([{ protocol: 'TCP', port: 8200 }]);
  });

  test('is restricted after injection too, and its token is a file that only its user reads', async () => {
    const { metadata, spec } = (await pod('charts/meshroot/ci/serve-values.yaml')) as {
      metadata: object;
      spec: object;
    };
    const mounted = { name: 'kube-api-access', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const container = at(spec, 'containers', 0) as { volumeMounts: object[] };
    const volumeMounts = [...container.volumeMounts, mounted];
    const admitted = { metadata, spec: { ...spec, containers: [{ ...container, volumeMounts }] } };
    const injection = inject(admitted, 'meshroot', { ...defaultSettings, vaultAddress: 'https://v' });
    if (injection.kind !== 'injected') throw new Error(injection.kind);
    const after = at(applyPatch(admitted, injection.patch), 'spec') as Spec;
    expect(restrictedViolations(after)).toEqual([]);
    const mounts = at(after, 'containers', 0, 'volumeMounts') as { mountPath: string }[];
    expect(mounts.map(({ mountPath }) => mountPath)).toContain('/vault/secrets');
    const env = at(after, 'containers', 0, 'env') as { name: string; value?: string }[];
    expect(env.find(({ name }) => name === 'VAULT_TOKEN_FILE')?.value).toBe('/vault/secrets/token');
  });

  test.each([
    ['serve.files.k=-----BEGIN PRIVATE KEY-----', "at '/serve/files/k': 'not' failed"],
    ['serve.mesh=-----BEGIN EC PRIVATE KEY-----', "at '/serve/mesh': 'not' failed"],
    ['serve.files.mesh\\.yaml=x', "at '/serve/files'"],
  ])('%s is refused: %s', async (set, message) => {
    const { code, stderr } = await helm(['template', 't', 'charts/meshroot', '-f', values, '--set', set]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  });
});

describe('values that cannot be', () => {
  test.each([
    ['injector.failurePolicy=Maybe', "at '/injector/failurePolicy': value must be one of 'Fail', 'Ignore'"],
    ['injector.replica=3', "at '/injector': additional properties 'replica' not allowed"],
    ['injector.replicas=0', "at '/injector/replicas': minimum: got 0, want 1"],
    ['cluster=Cluster_1', "at '/cluster': 'Cluster_1' does not match pattern"],
    ['vault.address=vault:8200', "at '/vault/address': 'vault:8200' does not match pattern"],
    ['vault.caCert=-----BEGIN PRIVATE KEY-----', "at '/vault/caCert'"],
    ['image.digest=sha256:abc', "at '/image/digest'"],
    ['networkPolicy.vaultCidrs={10.0.0.1}', "at '/networkPolicy/vaultCidrs/0'"],
    ['injector.nodeOptions=--a; rm', "at '/injector/nodeOptions'"],
    ['ca.signer=kms', "at '/ca/signer': value must be one of 'file', 'vault-pki', 'vault-transit'"],
    ['ca.rootCert=-----BEGIN PRIVATE KEY-----', "at '/ca/rootCert'"],
  ])('%s is refused: %s', async (set, message) => {
    const { code, stderr } = await helm([
      'template',
      't',
      'charts/meshroot',
      '-f',
      injectorValues,
      '--set',
      set,
    ]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  });

  test.each([
    ['vault.address=', 'vault.address is empty: set it to where pods reach Vault'],
    ['cluster=', "cluster is empty: set it to this cluster's name in Vault"],
    ['ca.enabled=true,ca.signer=vault-pki', 'ca.vaultPki.role is empty'],
    ['ca.enabled=true,ca.signer=vault-transit', 'ca.vaultTransit.key is empty'],
    ['ca.enabled=true', 'Install two releases: the injector first (namespace vault), then the other'],
  ])('%s is refused with what to do', async (set, message) => {
    const { code, stderr } = await helm([
      'template',
      't',
      'charts/meshroot',
      '-f',
      injectorValues,
      '--set',
      set,
    ]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
  });
});

describe('what is made from the chart', () => {
  test('the table of values and the plain manifests are as npm run charts makes them', async () => {
    for (const [name, text] of await chartFiles())
      expect(read(name) === text, `${name}: npm run charts`).toBe(true);
  });

  test('a value that nothing describes stops the table', () => {
    expect(() => valueRows('# -- is there\na: 1\nb: { c: 2 }\n')).toThrow(
      'values.yaml: b.c has no line "# -- what it is" above it',
    );
  });
});

describe("overlays for Istio's charts", () => {
  test('istiod gets the annotations that mesh.yaml gives, files that its own user reads, and ROOT_CA_DIR', () => {
    expect(parse(read('charts/overlays/istiod-values.yaml'))).toEqual({
      pilot: {
        env: { ROOT_CA_DIR: '/vault/secrets' },
        podAnnotations: {
          ...bundleAnnotations(...cluster1()),
          'vault.hashicorp.com/agent-run-as-user': '1337',
          'vault.hashicorp.com/agent-run-as-group': '1337',
          'vault.hashicorp.com/agent-inject-perms-ca-key.pem': '0640',
        },
      },
    });
  });

  test('an istiod without a CA gets its serving certificate, and sends proxies to meshroot-ca', () => {
    const values: unknown = parse(read('charts/overlays/istiod-without-ca-values.yaml'));
    expect(at(values, 'global', 'caAddress')).toBe('meshroot-ca.istio-system.svc:15012');
    const pod = {
      metadata: { annotations: at(values, 'pilot', 'podAnnotations') as object },
      spec: {
        containers: [
          {
            name: 'discovery',
            volumeMounts: [{ name: 't', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          },
        ],
      },
    };
    const injection = inject(pod, 'istio-system', { ...defaultSettings, vaultAddress: 'https://v' });
    if (injection.kind !== 'injected') throw new Error(injection.kind);
    const agent = at(applyPatch(pod, injection.patch), 'spec', 'initContainers', 0);
    expect(at(agent, 'securityContext', 'runAsUser')).toBe(1337); // istiod's: the files are 0440 and 0640
    const env = at(agent, 'env');
    const config = (env as { name: string; value: string }[]).find(({ name }) => name === 'VAULT_CONFIG');
    const { template } = JSON.parse(Buffer.from(config?.value ?? '', 'base64').toString()) as {
      template: { destination: string; contents: string }[];
    };
    expect(template.map(({ destination }) => destination)).toEqual(['/vault/secrets/istiod.pem']);
    expect(at(values, 'pilot', 'extraContainerArgs', 0)).toBe(`--tlsCertFile=${template[0]?.destination}`);
    expect(template[0]?.contents).toContain('pkiCert "pki/cluster1/issue/istiod"');
    const [, keyFile] = /writeToFile "([^"]+)"/.exec(template[0]?.contents ?? '') ?? [];
    expect(at(values, 'pilot', 'extraContainerArgs', 1)).toBe(`--tlsKeyFile=${keyFile}`);
  });

  test('a gateway gets its certificate as files that only the proxy reads', () => {
    const annotations = at(parse(read('charts/overlays/gateway-values.yaml')), 'podAnnotations') as object;
    const pod = {
      metadata: { annotations },
      spec: {
        containers: [
          {
            name: 'istio-proxy',
            image: 'auto',
            volumeMounts: [{ name: 't', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
          },
        ],
      },
    };
    const injection = inject(pod, 'istio-ingress', { ...defaultSettings, vaultAddress: 'https://v' });
    expect(injection).toMatchObject({ kind: 'injected', init: true, sidecar: true, warnings: [] });
    expect(JSON.stringify(injection)).toContain('"runAsUser":1337');
  });
});

describe('the check of pods', () => {
  const good = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      { name: 'c', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
    ],
  };
  test.each([
    [{ hostNetwork: true }, 'hostNetwork'],
    [{ volumes: [{ name: 'v', hostPath: { path: '/' } }] }, 'volume v: hostPath'],
    [{ securityContext: { runAsNonRoot: true } }, 'container c: no seccompProfile'],
    [{ initContainers: [{ name: 'i' }] }, 'container i: does not drop ALL'],
    [{ containers: [{ ...good.containers[0], ports: [{ hostPort: 80 }] }] }, 'container c: hostPort'],
  ])('finds %j', (wrong, problem) => {
    expect(restrictedViolations(good)).toEqual([]);
    expect(restrictedViolations({ ...good, ...wrong })).toContain(problem);
  });
});
