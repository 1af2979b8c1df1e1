import { presentedChain } from '../../istio/presented-chain.ts';
import { requestCertificate } from '../../istio/workload-request.ts';
import { recordOf } from '../../kube/kube-object.ts';
import { minutes } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { isKeyless } from '../../mesh/keyless.ts';
import { parseCertificate, parseCertificates } from '../../x509/certificate.ts';
import { createCsr } from '../../x509/csr.ts';
import { generateKeyPair } from '../../x509/keys.ts';
import { broken, given, type Hop, NotSeen, type Walk } from './hop.ts';

const injectAnnotation = 'vault.hashicorp.com/agent-inject';

/** From the stored bundle through istiod to a workload. */
export const meshHops: readonly Hop[] = [
  { name: 'annotation', check: annotated },
  { name: 'injector', check: webhook },
  {
    name: 'istiod',
    check: async ({ cluster, bundle }) => {
      const { caCert, rootCert: rootPem } = given(bundle);
      const served = await presentedChain({ ...istiodOf(cluster), rootPem }).catch((error: unknown) => {
        if (!(error instanceof MeshrootError)) throw error;
        throw broken(
          error.message,
          'is istiod running with ROOT_CA_DIR=/vault/secrets? see its log and istiod.address',
        );
      });
      const stored = parseCertificate(caCert).serial;
      const serial = served[1]?.serial;
      if (serial === stored) return `serves ${stored}`;
      throw broken(
        `istiod still serves ${serial ?? 'no intermediate'}, Vault holds ${stored}`,
        "see the log of istiod's agent; kubectl rollout restart brings the stored one at once",
      );
    },
  },
  { name: 'workload', check: workload },
];

function istiodOf(cluster: Walk['cluster']): { address: string; serverName: string } {
  const { address, namespace } = cluster.istiod;
  if (address === undefined) throw new NotSeen('mesh.yaml names no istiod.address', true);
  return { address, serverName: `istiod.${namespace}.svc` };
}

async function annotated({ kube, cluster }: Walk): Promise<string> {
  if (isKeyless(cluster)) throw new NotSeen('a keyless CA gets no files', true);
  const { namespace } = cluster.istiod;
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'istiod' };
  const found = await given(kube).get(ref);
  if (found === undefined) throw new NotSeen(`there is no deployment ${namespace}/istiod`, true);
  const template = recordOf(recordOf(found.spec).template);
  const annotations = recordOf(recordOf(template.metadata).annotations);
  if (annotations[injectAnnotation] === 'true') return `${namespace}/istiod asks for its files`;
  throw broken(
    `the pods of ${namespace}/istiod do not carry ${injectAnnotation}: 'true'`,
    "put the annotations into the values of Istio's chart (podAnnotations)",
  );
}

async function webhook(walk: Walk): Promise<string> {
  await annotated(walk);
  const type = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' };
  const hooks = (await given(walk.kube).list(type)).flatMap(({ webhooks }) =>
    Array.isArray(webhooks) ? webhooks.filter(isRecord) : [],
  );
  const hook = hooks.find(({ name }) => /vault/.test(String(name)));
  if (hook !== undefined) return `${String(hook.name)} is registered`;
  throw broken(
    'no webhook of an injector is registered, so istiod starts without its files',
    "install the chart charts/meshroot, or vault-k8s (Vault's own chart)",
  );
}

/** Asks for a certificate as a workload would, and throws its key away. */
async function workload({ kube, cluster, bundle }: Walk): Promise<string> {
  const istiod = istiodOf(cluster);
  const { namespace, serviceAccount } = cluster.istiod;
  const { rootCert: rootPem, caCert } = given(bundle);
  const { token } = await given(kube).tokenRequest(namespace, serviceAccount, { audiences: ['istio-ca'] });
  const chain = await requestCertificate({
    ...istiod,
    rootPem,
    csr: await createCsr({ key: await generateKeyPair('ec-p256') }),
    ttl: minutes(10),
    token: token.reveal(),
    clusterId: cluster.name,
  }).catch((error: unknown) => {
    if (!(error instanceof MeshrootError)) throw error;
    throw broken(error.message, `is it started with CLUSTER_ID=${cluster.name}, and may it review tokens?`);
  });
  const [leaf, issuer] = parseCertificates(chain.join('\n'));
  if (issuer?.serial === parseCertificate(caCert).serial) return `${leaf?.sans.uri[0]} in hand`;
  throw broken('the certificate is signed by another CA than the stored one', 'restart istiod');
}
