// Logs a pipeline in with the tokens that its platform signs for this one job (OIDC): at Vault, whose token goes where
// meshroot looks for it (~/.vault-token), and at the clusters, whose kubeconfig names the file kube-token. Both files are for
// this user alone. Nothing is printed but who it is; no secret is stored anywhere.
//
//   VAULT_ADDR        https://vault.example:8200
//   VAULT_AUTH_MOUNT  mount of the JWT login, default "jwt"
//   VAULT_AUTH_ROLE   role to log in as
//   VAULT_ID_TOKEN, KUBE_ID_TOKEN   the signed tokens (GitLab: id_tokens)
//   VAULT_AUDIENCE, KUBE_AUDIENCE   else: what to ask GitHub's tokens for; without KUBE_AUDIENCE no kube-token
//   NODE_EXTRA_CA_CERTS   PEM of a private authority that signed Vault's certificate (node reads it)
import { rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const { env } = process;

try {
  process.stdout.write(`${await vaultLogin(env.VAULT_ADDR, env.VAULT_AUTH_ROLE)}\n`);
  if (env.KUBE_ID_TOKEN || env.KUBE_AUDIENCE) {
    await keep('kube-token', env.KUBE_ID_TOKEN || (await githubToken(env.KUBE_AUDIENCE)));
  }
} catch (error) {
  process.stderr.write(`no login: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 2;
}

async function vaultLogin(address, role) {
  if (!address || !role) throw new Error('set VAULT_ADDR and VAULT_AUTH_ROLE');
  const jwt = env.VAULT_ID_TOKEN || (await githubToken(env.VAULT_AUDIENCE || address));
  const url = `${address.replace(/\/$/, '')}/v1/auth/${env.VAULT_AUTH_MOUNT || 'jwt'}/login`;
  const { auth } = await json(url, { method: 'POST', body: JSON.stringify({ role, jwt }) });
  if (!auth?.client_token) throw new Error('Vault answered without a token');
  await keep(join(homedir(), '.vault-token'), auth.client_token);
  return `logged in as ${role} with ${auth.token_policies?.join(', ')} for ${auth.lease_duration} s`;
}

/** A file that is there already would keep its mode. */
async function keep(file, secret) {
  await rm(file, { force: true });
  await writeFile(file, secret, { mode: 0o600, flag: 'wx' });
}

/** https://docs.github.com/actions/concepts/security/openid-connect */
async function githubToken(audience) {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = env;
  if (!url || !token) throw new Error('no VAULT_ID_TOKEN, and the job has no permission "id-token: write"');
  const headers = { authorization: `Bearer ${token}` };
  return (await json(`${url}&audience=${encodeURIComponent(audience)}`, { headers })).value;
}

async function json(url, options) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(30_000), redirect: 'error' });
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status}, and no JSON`);
  }
  if (!response.ok)
    throw new Error(`HTTP ${response.status}: ${body.errors?.join('; ') ?? 'no reason given'}`);
  return body;
}
