import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import type { MethodSettings } from '../config/config.ts';

/**
 * The span, in milliseconds, over which the first logins of many agents that start together are spread: `login_spread` of
 * the method's `config` (a pod says `vault.hashicorp.com/auth-config-login-spread: 30s`; other agents do not read it).
 * 0, the default, logs in at once: an init agent is waited for. Later logins are spread by renewals and backoffs.
 * @throws MeshrootError `bad-agent-config`
 */
export function loginSpreadMs({ config }: Pick<MethodSettings, 'config'>): number {
  const text = config.login_spread;
  if (text === undefined || text === '') return 0;
  try {
    const span = parseDuration(String(text));
    if (span >= 0) return span;
  } catch {} // said below
  throw new MeshrootError(
    'bad-agent-config',
    `auto_auth.method: login_spread "${String(text)}" is no duration`,
    {
      hint: 'write for example 30s',
      exit: 1,
    },
  );
}
