import https from 'node:https';
import fc from 'fast-check';
import { annotationFacts, namedAnnotationFacts } from '../../src/injector/annotation-facts.ts';
import { reviewAdmission } from '../../src/injector/review.ts';
import { defaultSettings } from '../../src/injector/settings.ts';
import { sameOutcome } from './compare.ts';
import { outcomeOf } from './outcome.ts';
import { reviewOf } from './pods.ts';

/**
 * Asks a running vault-k8s and ours about random pods and prints the smallest one they disagree about.
 * `node --import tsx conformance/injector/explore.ts https://127.0.0.1:18443/mutate 2000`
 */
const url = process.argv[2] ?? 'https://127.0.0.1:18443/mutate';
const numRuns = Number(process.argv[3] ?? '500');
const settings = { ...defaultSettings, vaultAddress: 'http://127.0.0.1:8200' };
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });

function ask(body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = https.request(url, { method: 'POST', agent, headers }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve(JSON.parse(text));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const mount = { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true };
const words = fc.constantFrom(
  'true',
  'false',
  '',
  '1',
  'TRUE',
  '5',
  '-3',
  '0',
  'x',
  '1s',
  '1h30m',
  '2d',
  '500m',
  '64Mi',
  '1.5Gi',
  '1e3',
  '0.25',
  'json',
  'MAP',
  'app',
  'app,b',
  'kubernetes',
  'aws',
  '/a/../b',
  '/vault/secrets',
  'kv/x',
  'Ünï',
  '{"a":1}',
  '[1]',
  'a b',
  ' ',
);
// without those whose value is random on purpose or compared elsewhere (JSON patches, AWS's random order)
const names = [
  ...Object.keys(annotationFacts).filter((name) => !name.endsWith('json-patch')),
  ...Object.keys(namedAnnotationFacts).flatMap((name) =>
    ['x', 'Y', 'file-x'].map((suffix) => `${name}-${suffix}`),
  ),
];
const annotations = fc.dictionary(fc.constantFrom(...names), words, { maxKeys: 6 });
const container = fc.record(
  {
    name: fc.constantFrom('app', 'b'),
    image: fc.constant('i'),
    volumeMounts: fc.constantFrom([mount], [{ name: 'd', mountPath: '/d' }, mount], []),
    securityContext: fc.constantFrom({}, { runAsUser: 0 }, { runAsUser: 7 }, { runAsNonRoot: true }),
  },
  { requiredKeys: ['name', 'image'] },
);
const spec = fc.record(
  {
    containers: fc.array(container, { maxLength: 3 }),
    initContainers: fc.array(fc.record({ name: fc.constantFrom('i', 'j'), image: fc.constant('i') }), {
      maxLength: 2,
    }),
    shareProcessNamespace: fc.boolean(),
  },
  { requiredKeys: ['containers'] },
);

try {
  await fc.assert(
    fc.asyncProperty(annotations, spec, async (given, randomSpec) => {
      const marks = { 'agent-inject': 'true', role: 'r', 'agent-inject-secret-x': 'kv/x', ...given };
      const prefixed = Object.fromEntries(
        Object.entries(marks).map(([key, value]) => [`vault.hashicorp.com/${key}`, value]),
      );
      const pod = {
        metadata: { name: 'p', annotations: prefixed },
        spec: {
          ...randomSpec,
          volumes: [
            { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
            { name: 'd' },
          ],
        },
      };
      const review = reviewOf({ name: 'random', pod });
      const theirs = outcomeOf(pod, await ask(JSON.stringify(review)));
      const ours = outcomeOf(pod, reviewAdmission(review, settings).review);
      if (!sameOutcome(theirs, ours)) {
        throw new Error(`\n  theirs ${JSON.stringify(theirs)}\n  ours   ${JSON.stringify(ours)}`);
      }
    }),
    { numRuns },
  );
  process.stdout.write(`${numRuns} random pods, decided alike\n`);
} finally {
  agent.destroy();
}
