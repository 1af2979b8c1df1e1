import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { applyPatch, parsePatch } from '../lib/json-patch.ts';
import { answerText, reviewAdmission } from './review.ts';
import { defaultSettings } from './settings.ts';

const settings = { ...defaultSettings, vaultAddress: 'https://vault:8200' };
const V = 'vault.hashicorp.com/';
const mount = { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };

function podWith(
  annotations: Record<string, string>,
  spec: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    metadata: { name: 'a', annotations },
    spec: { containers: [{ name: 'app', volumeMounts: [mount] }], volumes: [{ name: 'token' }], ...spec },
  };
}
const opted = (more: Record<string, string> = {}) => ({
  [`${V}agent-inject`]: 'true',
  [`${V}role`]: 'r',
  [`${V}agent-inject-secret-x`]: 'kv/x',
  ...more,
});
const ask = (object: unknown, request: Record<string, unknown> = {}) =>
  reviewAdmission({ request: { uid: 'u', namespace: 'demo', object, ...request } }, settings).review.response;
const patchOf = (object: unknown) =>
  parsePatch(JSON.parse(Buffer.from(ask(object).patch ?? '', 'base64').toString()));

describe('the answer to an AdmissionReview', () => {
  test.each(['v1', 'v1beta1'])('comes in the version of the question (%s)', (version) => {
    const { review } = reviewAdmission(
      {
        apiVersion: `admission.k8s.io/${version}`,
        kind: 'AdmissionReview',
        request: { uid: 'u', object: podWith({}) },
      },
      settings,
    );
    expect(review).toEqual({
      apiVersion: `admission.k8s.io/${version}`,
      kind: 'AdmissionReview',
      response: { uid: 'u', allowed: true },
    });
  });

  test.each([
    ['left alone', podWith({})],
    ['injected', podWith(opted())],
    ['refused', podWith(opted({ [`${V}agent-init-first`]: 'y"es' }))],
  ])('is written as JSON.stringify would (%s)', (_, object) => {
    const { review } = reviewAdmission({ request: { uid: 'u"1', namespace: 'demo', object } }, settings);
    expect(JSON.parse(answerText(review))).toEqual(JSON.parse(JSON.stringify(review)));
  });

  test('keeps the words of the refusal in front and says how to mend it behind', () => {
    const { allowed, status } = ask(podWith(opted({ [`${V}role`]: '' })));
    expect(allowed).toBe(false);
    expect(status?.message).toBe(
      'error validating agent configuration: no Vault role found (name the role in vault.hashicorp.com/role)',
    );
  });

  test('puts the init agent in front with one addition and leaves the others as they are', () => {
    const others = [{ name: 'one', image: 'x', unknownField: { cpu: '1000m' } }];
    const pod = podWith(opted({ [`${V}agent-init-first`]: 'true' }), { initContainers: others });
    const operations = patchOf(pod).filter(({ path }) => path.startsWith('/spec/initContainers'));
    expect(operations.map(({ op, path }) => `${op} ${path}`)).toEqual([
      'add /spec/initContainers/0',
      'add /spec/initContainers/1/volumeMounts',
    ]);
    const patched = applyPatch(pod, patchOf(pod)) as { spec: { initContainers: Record<string, unknown>[] } };
    expect(patched.spec.initContainers.map(({ name }) => name)).toEqual(['vault-agent-init', 'one']);
    expect(patched.spec.initContainers[1]).toMatchObject(others[0] ?? {});
  });

  test('an injected pod that is asked about again stays as it is', () => {
    const pod = podWith(opted());
    expect(ask(applyPatch(pod, patchOf(pod)))).toEqual({ uid: 'u', allowed: true });
  });

  test('a pod without volumes gets all of them, not only the last', () => {
    const pod = podWith(opted(), { volumes: undefined });
    const patched = applyPatch(pod, patchOf(pod)) as { spec: { volumes: { name: string }[] } };
    expect(patched.spec.volumes.map(({ name }) => name)).toEqual([
      'home-init',
      'home-sidecar',
      'vault-secrets',
    ]);
  });

  test('templates come in order of NAME whatever the order of the annotations', () => {
    const marks = opted({ [`${V}agent-inject-secret-c`]: 'c', [`${V}agent-inject-secret-a`]: 'a' });
    const reversed = Object.fromEntries(Object.entries(marks).reverse());
    expect(ask(podWith(marks)).patch).toBe(ask(podWith(reversed)).patch);
  });

  test.each([
    [
      'a volume',
      { volumes: [{ name: 'vault-secrets' }] },
      'the pod already has a volume named "vault-secrets"',
    ],
    [
      'a container',
      { containers: [{ name: 'vault-agent', volumeMounts: [mount] }] },
      'the pod already has a container named "vault-agent"',
    ],
    [
      'an init container',
      { initContainers: [{ name: 'vault-agent-init' }] },
      'the pod already has a container named "vault-agent-init"',
    ],
    [
      'a mount',
      {
        containers: [{ name: 'app', volumeMounts: [mount, { name: 'token', mountPath: '/vault/secrets' }] }],
      },
      'container "app" already mounts something at /vault/secrets',
    ],
  ])('refuses a pod that already has %s of ours', (_, spec, message) => {
    expect(ask(podWith(opted(), spec)).status?.message).toBe(`error creating patch for agent: ${message}`);
  });

  test('warns of what works but is hardly meant', () => {
    const pod = podWith(
      opted({ [`${V}agent-inject-secret-X`]: 'kv/y', [`${V}agent-telemetry-disable-hostname`]: '3' }),
    );
    expect(ask(pod).warnings).toEqual([
      'two secrets are written to /vault/secrets/x; the last one wins',
      'agent-telemetry-disable-hostname has the wrong type: the whole telemetry stanza is dropped',
    ]);
  });

  test.each([
    ['no object', 'x', 'the body is not an object'],
    ['no request', { kind: 'AdmissionReview' }, 'request is missing'],
    ['a request that is a list', { request: [] }, 'request is not an object'],
    ['no uid', { request: {} }, 'request.uid is not a string'],
    [
      'a namespace that is a number',
      { request: { uid: 'u', namespace: 1 } },
      'request.namespace is not a string',
    ],
    [
      'another kind',
      { kind: 'Pod', request: { uid: 'u' } },
      'it is no AdmissionReview of admission.k8s.io/v1 or v1beta1',
    ],
    [
      'another version',
      { apiVersion: 'admission.k8s.io/v2', request: { uid: 'u' } },
      'it is no AdmissionReview of admission.k8s.io/v1 or v1beta1',
    ],
  ])('is a 400 for %s', (_, body, why) => {
    expect(() => reviewAdmission(body, settings)).toThrow(
      expect.objectContaining({
        code: 'bad-admission-review',
        status: 400,
        message: `error decoding admission request: ${why}`,
      }),
    );
  });
});

describe('whatever comes', () => {
  const name = fc.constantFrom(
    'agent-inject-secret-x',
    'agent-json-patch',
    'agent-limits-cpu',
    'agent-run-as-user',
    'auth-min-backoff',
    'agent-copy-volume-mounts',
    'secret-volume-path',
    'agent-telemetry-a',
    '__proto__',
    'agent-inject-file-x',
  );
  const marks = fc.dictionary(name, fc.oneof(fc.string(), fc.json()), { maxKeys: 5 });
  const spec = fc.dictionary(
    fc.constantFrom('containers', 'initContainers', 'volumes', 'shareProcessNamespace'),
    fc.jsonValue(),
    { maxKeys: 4 },
  );

  test('an opted-in pod is injected or refused with a reason, and an injected one can be patched', () => {
    fc.assert(
      fc.property(marks, fc.option(spec), (given, odd) => {
        const annotations = opted(
          Object.fromEntries(Object.entries(given).map(([key, value]) => [V + key, value])),
        );
        const pod = podWith(annotations, odd ?? {});
        const { allowed, status, patch } = ask(pod);
        if (!allowed) expect(status?.message).not.toBe('');
        else
          expect(() =>
            applyPatch(pod, parsePatch(JSON.parse(Buffer.from(patch ?? '', 'base64').toString()))),
          ).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  test('any JSON as a review is answered or refused with a MeshrootError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          fc.record({ request: fc.record({ uid: fc.string(), object: fc.jsonValue() }) }),
        ),
        (body) => {
          try {
            expect(typeof reviewAdmission(body, settings).review.response.allowed).toBe('boolean');
          } catch (error) {
            expect(error).toBeInstanceOf(MeshrootError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a mount nested deeper than the stack is a refusal', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`) as unknown;
    const containers = [
      { name: 'app', volumeMounts: [mount, { name: 'd', mountPath: '/d', subPath: deep }] },
    ];
    const { allowed } = ask(podWith(opted({ [`${V}agent-copy-volume-mounts`]: 'app' }), { containers }));
    expect(allowed).toBe(false);
  });
});
