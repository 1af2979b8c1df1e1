import { MeshrootError } from '../lib/errors.ts';
import { parseMesh } from './load.ts';

export interface InitAnswers {
  readonly vault: string;
  readonly trustDomain: string;
  /** Kubeconfig context of each cluster, or `NAME=CONTEXT`. */
  readonly clusters: readonly string[];
  readonly keyType: string;
  readonly injector: boolean;
}

/**
 * The text of a commented mesh.yaml that is as good as checked.
 * @throws MeshrootError `bad-mesh-file` when an answer does not fit
 */
export function initFile(answers: InitAnswers): string {
  const text = `# What should be. It holds no secret: the Vault token comes from VAULT_TOKEN or ~/.vault-token.
# meshroot plan shows the difference, meshroot apply makes it so, meshroot destroy takes it away.
apiVersion: meshroot/v1
kind: Mesh
trustDomain: ${quote(answers.trustDomain)}   # in every identity: spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT; never change it later
vault:
  address: ${quote(answers.vault)}
  # caCert: vault-ca.pem            # authority of Vault's own certificate
  # namespace: platform             # of Vault Enterprise or OpenBao
root:
  keyType: ${quote(answers.keyType)}                # made in Vault, never leaves it
  ttl: 10y
  # import: { cert: root-cert.pem, key: root-key.pem }   # a root that you have already
  # offline: {}                       # or instead: its key stays on a machine without a network (docs/offline-root.md)
clusters:
${answers.clusters.map((cluster) => clusterText(cluster, answers)).join('')}`;
  parseMesh(text, 'mesh.yaml');
  return text;
}

/** Name and context of `NAME=CONTEXT`, or of a context alone. @throws MeshrootError `bad-cluster-name` */
export function nameAndContext(word: string): { name: string; context: string } {
  const at = word.indexOf('=');
  const context = word.slice(at + 1);
  return { name: at === -1 ? nameOf(context) : word.slice(0, at), context };
}

function clusterText(word: string, { injector }: InitAnswers): string {
  const { name, context } = nameAndContext(word);
  return `  - name: ${quote(name)}
    context: ${quote(context)}           # of your kubeconfig
    istiod: { namespace: istio-system, serviceAccount: istiod }
    intermediate: { keyType: ec-p256, ttl: 90d }
${injector ? '    injector: { namespace: vault }    # meshroot registers and runs it\n' : ''}`;
}

/** A name made of a context such as `arn:aws:eks:eu-1:1:cluster/prod-eu` or `gke_a_b_prod`. */
function nameOf(context: string): string {
  const name = context
    .toLowerCase()
    .replace(/^.*[/@]/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);
  if (name !== '') return name;
  throw new MeshrootError('bad-cluster-name', `no cluster name can be made of the context "${context}"`, {
    hint: 'write NAME=CONTEXT',
  });
}

/** Plain where YAML reads it as that very text, else in quotes. */
const quote = (text: string): string =>
  /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
