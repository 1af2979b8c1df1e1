import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { passwordMatches } from './password.ts';
import { users } from './store.ts';

/** A name and a password for a token. @throws Refusal; an unknown user looks (and lasts) like a wrong password */
export async function login(context: Context): Promise<Result> {
  const { fields, store, request, services, mount, clock } = context;
  const name = textOf(fields, 'username').toLowerCase();
  const password = textOf(fields, 'password');
  services.lockout.check(mount.accessor, name, clock);
  if (password === '') throw refuse('missing password', 500, 'login-password-missing');
  const user = users.read(store, name);
  if (!(await passwordMatches(password, user?.password)) || user === undefined) {
    if (user !== undefined) services.lockout.failed(mount.accessor, name, clock);
    throw refuse('invalid username or password', 400, 'login-invalid-credentials');
  }
  services.lockout.check(mount.accessor, name, clock); // guesses that ran beside this one count too
  if (!addressAllowed(request.remoteAddress, user.tokens.boundCidrs)) {
    throw denied('login-address', 'the user is bound to other addresses');
  }
  services.lockout.succeeded(mount.accessor, name);
  return issueLogin(context, {
    tokens: user.tokens,
    displayName: name,
    meta: { username: name },
    alias: { name },
    role: name,
  });
}
