import type { AgentOptions } from './agent-options.ts';
import type { AnnotationName } from './annotation-facts.ts';
import type { Annotations } from './annotations.ts';
import type { Pod } from './pod.ts';
import type { ConfigFile } from './projected-config.ts';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

const downward: readonly EnvVar[] = [
  ['NAMESPACE', 'metadata.namespace'],
  ['HOST_IP', 'status.hostIP'],
  ['POD_IP', 'status.podIP'],
].map(([name = '', fieldPath = '']) => ({ name, valueFrom: { fieldRef: { fieldPath } } }));

type FromAnnotation = readonly (readonly [string, AnnotationName])[];

const always: FromAnnotation = [
  ['GOMAXPROCS', 'go-max-procs'],
  ['VAULT_CLIENT_TIMEOUT', 'client-timeout'],
  ['VAULT_MAX_RETRIES', 'client-max-retries'],
  ['VAULT_LOG_LEVEL', 'log-level'],
  ['VAULT_LOG_FORMAT', 'log-format'],
  ['HTTPS_PROXY', 'proxy-address'],
];

/** With a ConfigMap the agent has no VAULT_CONFIG: what the annotations say about Vault comes by these. */
const beforeSkipVerify: FromAnnotation = [
  ['VAULT_ADDR', 'service'],
  ['VAULT_CACERT', 'ca-cert'],
  ['VAULT_CAPATH', 'ca-key'],
  ['VAULT_CLIENT_CERT', 'client-cert'],
  ['VAULT_CLIENT_KEY', 'client-key'],
];

/** What is the same in both agents of a pod, and which of them is asked about. */
export interface AgentKind {
  readonly init: boolean;
  /** Undefined: the agents read a ConfigMap of the user. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  /** Where `config` is, when it is not in the environment. */
  readonly file: ConfigFile | undefined;
  /** PEM or base64 of it; empty for none. */
  readonly caCertBytes: string;
}

export function agentEnvironment(
  pod: Pod,
  options: AgentOptions,
  annotations: Annotations,
  { config, file, caCertBytes }: AgentKind,
): EnvVar[] {
  const configured =
    config === undefined
      ? configMapEnvironment(options, annotations)
      : file === undefined
        ? inParts('VAULT_CONFIG', base64Json(config))
        : [];
  return [
    ...downward,
    ...fromAnnotations(annotations, always),
    ...configured,
    ...(caCertBytes === '' ? [] : [{ name: 'VAULT_CACERT_BYTES', value: decodeIfBase64(caCertBytes) }]),
    ...awsEnvironment(pod, annotations),
  ];
}

/**
 * Linux takes no variable above 131,072 bytes (MAX_ARG_STRLEN): a longer value goes on in NAME_2, NAME_3, … Annotations
 * end at 256 KiB, and so does what comes of them, far below the 2 MiB that an environment may have.
 */
function inParts(name: string, value: string): EnvVar[] {
  if (value.length <= longestVariable) return [{ name, value }];
  const count = Math.ceil(value.length / longestVariable);
  const parts = Array.from({ length: count }, (_, i) =>
    value.slice(i * longestVariable, (i + 1) * longestVariable),
  );
  return parts.map((part, i) => ({ name: i === 0 ? name : `${name}_${i + 1}`, value: part }));
}

/** Of one part, in characters; four of base64 are three bytes, and no such group is cut. */
const longestVariable = 120_000;

function fromAnnotations(annotations: Annotations, table: FromAnnotation): EnvVar[] {
  return table
    .map(([name, from]) => ({ name, value: annotations.text(from) }))
    .filter(({ value }) => value !== '');
}

function configMapEnvironment(options: AgentOptions, annotations: Annotations): EnvVar[] {
  return [
    ...fromAnnotations(annotations, beforeSkipVerify),
    { name: 'VAULT_SKIP_VERIFY', value: `${options.tlsSkipVerify}` },
    ...fromAnnotations(annotations, [['VAULT_TLS_SERVER_NAME', 'tls-server-name']]),
  ];
}

function base64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decodeIfBase64(text: string): string {
  const joined = text.replaceAll(/[\r\n]/g, '');
  return base64.test(joined) ? Buffer.from(joined, 'base64').toString() : text;
}

const awsNames = new Set(['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_DEFAULT_REGION', 'AWS_REGION']);

/** What EKS told the containers about the role to assume; `auth-config-region` comes last and so wins. */
function awsEnvironment(pod: Pod, annotations: Annotations): EnvVar[] {
  if (annotations.text('auth-type') !== 'aws') return [];
  const found = new Map<string, string>();
  for (const { name, value } of pod.containers.flatMap((container) => container.env)) {
    if (awsNames.has(name) && !found.has(name)) found.set(name, value);
  }
  const copied = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  const region = annotations.named('auth-config', 'region');
  return [...copied, ...(region === undefined ? [] : [['AWS_REGION', region] as const])].map(
    ([name, value]) => (value === '' ? { name } : { name, value }),
  );
}
