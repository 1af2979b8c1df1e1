import { codeOf, messageOf } from '../lib/errors.ts';
import { TemplateBrain } from './brain.ts';
import type {
  AgentConfig,
  MethodSettings,
  OnChangeSettings,
  SinkSettings,
  VaultSettings,
} from './config/config.ts';
import type { SetVerifier } from './sets/verifier.ts';
import { renderTemplate } from './template/render.ts';
import { groupJobs, readJobs, type TemplateJob } from './template-job.ts';

export interface ExplainedFile {
  /** A path, or `$NAME` of a supervised process. */
  readonly destination: string;
  readonly mode: string;
  readonly owner: string | undefined;
  /** What it reads, as far as the template says it without data: a path made of another secret is not known yet. */
  readonly reads: readonly string[];
  readonly command: string | readonly string[] | undefined;
  /** Why it can never be rendered. */
  readonly problem: string | undefined;
}

export interface Explanation {
  readonly store: Readonly<Record<string, string>>;
  readonly login: Readonly<Record<string, string>> | undefined;
  readonly sinks: readonly Readonly<Record<string, string>>[];
  readonly sets: readonly {
    readonly name: string;
    readonly folder: string;
    readonly files: readonly ExplainedFile[];
  }[];
  readonly files: readonly ExplainedFile[];
  readonly process: string | undefined;
  readonly listeners: readonly string[];
  /** What is kept for later, and where. */
  readonly cache: readonly string[];
  /** What happens after a set was swapped in. */
  readonly onChange: readonly string[];
  readonly schedule: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Says what an agent with this configuration would do: nothing is sent, written or run, and no secret is read.
 * @throws MeshrootError when a template's `source` cannot be read
 */
export async function explainAgent(
  config: AgentConfig,
  verifiers: readonly SetVerifier[],
): Promise<Explanation> {
  const groups = groupJobs(await readJobs(config.templates, () => 0), verifiers);
  return {
    store: storeOf(config.vault),
    login: config.method === undefined ? undefined : loginOf(config.method),
    sinks: config.sinks.map(sinkOf),
    sets: groups.flatMap(({ set, jobs }) =>
      set === undefined
        ? []
        : [
            {
              name: set.verifier.name,
              folder: set.folder,
              files: jobs.map((job) => fileOf(job, '0640, or 0644 in memory without fsGroup')),
            },
          ],
    ),
    files: groups.flatMap(({ set, jobs }) =>
      set === undefined ? jobs.map((job) => fileOf(job, '0644, or that of the file there')) : [],
    ),
    process: config.exec?.command.join(' '),
    listeners: config.listeners.map(
      (l) =>
        `${l.type} ${l.address}${l.metricsOnly ? ', metrics only' : ''}${l.tls === undefined ? '' : ', TLS'}`,
    ),
    cache: cacheOf(config),
    onChange: config.onChange.map(changeOf),
    schedule: scheduleOf(config),
    warnings: config.warnings,
  };
}

function cacheOf({ cache, listeners }: AgentConfig): string[] {
  if (cache === undefined) return [];
  const { persist } = cache;
  const answers = 'answers with a lease or a new token are kept, renewed, and forgotten when revoked';
  return [
    ...(listeners.length === 0 ? [] : [answers]),
    ...(persist === undefined
      ? []
      : [
          `what templates read is kept in ${persist.path} for ${persist.maxAgeMs / 1000}s, sealed with the key in ` +
            `${persist.keyFile ?? 'the same folder, which must be in memory'}; used while the store is down`,
        ]),
  ];
}

function changeOf({ folder, command, signal, pidFile, http, probe, timeoutMs }: OnChangeSettings): string {
  const told = [
    ...(command.length === 0 ? [] : [`runs ${command.join(' ')}`]),
    ...(signal === undefined ? [] : [`sends ${signal} to the process in ${pidFile}`]),
    ...(http === undefined ? [] : [`POST ${http}`]),
    ...(probe === undefined ? [] : [`waits ${timeoutMs / 1000}s for ${probe} to show the new serial`]),
  ];
  return `${folder}: ${told.join(', then ')}`;
}

function storeOf(vault: VaultSettings): Record<string, string> {
  const own =
    vault.caCert ?? vault.caPath ?? (vault.caCertBytes === undefined ? undefined : 'VAULT_CACERT_BYTES');
  const trust = vault.skipVerify ? 'any certificate (tls_skip_verify)' : `roots of ${own ?? 'this system'}`;
  return {
    address: vault.address,
    ...(vault.namespace === undefined ? {} : { namespace: vault.namespace }),
    trust: vault.address.startsWith('https:') ? trust : 'none: the connection is not encrypted',
  };
}

function loginOf(method: MethodSettings): Record<string, string> {
  const named = ['role', 'name', 'token_path', 'path', 'role_id_file_path', 'token_file_path'];
  const facts = named.flatMap((key) =>
    method.config[key] === undefined ? [] : [[key, String(method.config[key])]],
  );
  return {
    method: method.type,
    request: method.type === 'token_file' ? 'GET auth/token/lookup-self' : `PUT ${method.mountPath}/login`,
    ...(Object.fromEntries(facts) as Record<string, string>),
    'when refused': method.exitOnError
      ? 'ends with exit code 1'
      : `tries again after ${method.minBackoffMs / 1000}s, doubling to ${method.maxBackoffMs / 1000}s`,
  };
}

function sinkOf({ path, mode, wrapTtlMs, encryption }: SinkSettings): Record<string, string> {
  return {
    path,
    mode: octal(mode),
    ...(wrapTtlMs === undefined ? {} : { wrapped: `for ${wrapTtlMs / 1000}s` }),
    ...(encryption === undefined ? {} : { encrypted: `for the reader's key in ${encryption.path}` }),
  };
}

function fileOf(job: TemplateJob, mode: string): ExplainedFile {
  const { settings } = job;
  const { reads, problem } = dryRun(job);
  const owner = [settings.user, settings.group].map((id) => id ?? '').join(':');
  return {
    destination: settings.envName === undefined ? settings.destination : `$${settings.envName}`,
    mode: settings.perms === undefined ? mode : octal(settings.perms),
    owner: owner === ':' ? undefined : owner,
    reads,
    command: settings.command,
    problem,
  };
}

/** The pass that only finds out what is needed; functions with effects are off. */
function dryRun({ settings, contents, more }: TemplateJob): { reads: string[]; problem: string | undefined } {
  const brain = new TemplateBrain();
  const { missing } = brain.begin();
  let problem: string | undefined;
  try {
    renderTemplate({
      contents,
      leftDelimiter: settings.leftDelimiter,
      rightDelimiter: settings.rightDelimiter,
      denylist: [...settings.denylist, 'writeToFile', 'plugin'],
      more,
      destination: settings.envName === undefined ? settings.destination : '',
      sandboxPath: settings.sandboxPath,
      brain,
      env: {},
      now: () => 0,
    });
  } catch (error) {
    // Without data many a good template fails; one that cannot be parsed never will be good.
    if (codeOf(error) === 'template-parse') problem = messageOf(error);
  }
  return { reads: [...missing.values()].map((d) => `${d.kind} ${d.path}`), problem };
}

function scheduleOf({ exitAfterAuth, templateConfig: t, vault }: AgentConfig): string[] {
  const first = `a read that fails is tried ${vault.retries} times more, after 250ms doubling to 1m; then ${
    t.exitOnRetryFailure ? 'the agent ends with exit code 1' : 'everything is begun anew'
  }`;
  if (exitAfterAuth) return ['everything once, then exit code 0', first];
  const interval = t.staticSecretRenderIntervalMs / 1000;
  return [
    first,
    `what has no lease of its own is read again every ${interval}s (less a random 5 to 15 %)`,
    'a renewable lease is renewed after two thirds of its life, any other is read again after ' +
      `${Math.round(t.leaseRenewalThreshold * 100)} % of it`,
  ];
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
