import { MeshrootError } from '../../lib/errors.ts';
import { nearestWord } from '../../lib/nearest-word.ts';
import type { AgentConfig } from './config.ts';

/** What a whole configuration must not be, whatever its stanzas are by themselves; the first that holds is told. */
const checks: readonly (readonly [wrong: (c: AgentConfig) => boolean, reason: string])[] = [
  [
    ({ method, listeners }) => method === undefined && listeners.length === 0,
    'no auto_auth, cache, or listener block found in config',
  ],
  [
    ({ method, templates }) => method === undefined && templates.length > 0,
    'templates need an auto_auth block: nothing to log in with',
  ],
  [
    ({ method, proxy }) => method === undefined && proxy !== undefined && proxy.useToken !== 'no',
    'use_auto_auth_token is true but auto_auth not configured',
  ],
  [
    ({ method, proxy }) => method?.wrapTtlMs !== undefined && proxy !== undefined && proxy.useToken !== 'no',
    'use_auto_auth_token is true and auto_auth uses wrapping',
  ],
  [
    ({ method, templates }) => method?.wrapTtlMs !== undefined && templates.length > 0,
    'auto_auth.method.wrap_ttl leaves the agent without a token for its templates',
  ],
  [
    ({ exec, templates }) => exec === undefined && templates.some(inEnvironment),
    "a top-level 'exec' element must be specified with 'env_template' entries",
  ],
  [
    ({ exec, templates }) => exec !== undefined && !templates.some(inEnvironment),
    "must specify at least one 'env_template' element with a top-level 'exec' element",
  ],
  [
    ({ templates, hasApiProxy }) => hasApiProxy && templates.some(inEnvironment),
    "'api_proxy' cannot be specified with 'env_template' entries",
  ],
  [
    ({ templates }) => templates.some(inEnvironment) && !templates.every(inEnvironment),
    "'template' cannot be specified with 'env_template' entries",
  ],
  [
    ({ method, sinks, templates, listeners }) =>
      method !== undefined && sinks.length + templates.length + listeners.length === 0,
    'auto_auth requires at least one sink or at least one template',
  ],
];

const inEnvironment = ({ envName }: AgentConfig['templates'][number]): boolean => envName !== undefined;

/**
 * The configuration, when it makes sense as a whole.
 * @param keys of the first level: one that is not known is ignored, as upstream does, so a slip shows as what is missing
 * @throws MeshrootError `bad-agent-config`
 */
export function validConfig(config: AgentConfig, keys: readonly string[]): AgentConfig {
  const reason = checks.find(([wrong]) => wrong(config))?.[1] ?? sameVariable(config);
  if (reason === undefined) return config;
  const slip = config.method === undefined ? slipOf(keys) : undefined;
  throw new MeshrootError('bad-agent-config', `error validating configuration: ${reason}`, {
    exit: 1,
    ...(slip === undefined ? {} : { hint: `is "${slip}" meant to be auto_auth?` }),
  });
}

function sameVariable({ templates }: AgentConfig): string | undefined {
  const names = templates.flatMap(({ envName }) => envName ?? []);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? undefined : `env_template: duplicate environment variable name: "${twice}"`;
}

function slipOf(keys: readonly string[]): string | undefined {
  return keys.find((key) => key !== 'auto_auth' && nearestWord('auto_auth', [key]) !== undefined);
}
