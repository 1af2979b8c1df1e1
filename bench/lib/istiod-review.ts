const secret = 'kubernetes-cluster1-secrets/istiod-service/certs';
const files = ['ca-key', 'ca-cert', 'root-cert', 'cert-chain'];

/** The AdmissionReview of an istiod pod that is annotated for its four CA files. */
export function istiodReview() {
  const annotations: Record<string, string> = {
    'vault.hashicorp.com/agent-inject': 'true',
    'vault.hashicorp.com/agent-init-first': 'true',
    'vault.hashicorp.com/role': 'istiod',
    'vault.hashicorp.com/auth-path': 'auth/kubernetes-cluster1',
  };
  for (const file of files) {
    annotations[`vault.hashicorp.com/agent-inject-secret-${file}.pem`] = secret;
    annotations[`vault.hashicorp.com/agent-inject-template-${file}.pem`] = templateOf(file);
  }
  const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace: 'istio-system',
      operation: 'CREATE',
      userInfo: { username: 'x' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'istiod-1', namespace: 'istio-system', annotations },
        spec: {
          serviceAccountName: 'istiod',
          containers: [
            {
              name: 'discovery',
              image: 'istio/pilot:1.16.0',
              volumeMounts: [{ name: 'kube-api-access-x', mountPath, readOnly: true }],
            },
          ],
          volumes: [{ name: 'kube-api-access-x', projected: { sources: [token] } }],
        },
      },
    },
  };
}

/** The seed's template of one file: the KV entry's keys have `_` where the files have `-`. */
export function templateOf(file: string): string {
  return `{{- with secret "${secret}" -}}\n{{ .Data.${file.replace('-', '_')} }}\n{{ end -}}\n`;
}
