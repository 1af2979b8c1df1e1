import { type Case, wrapped } from './case.ts';
import { ask, enable, login, missing, read, refused, write } from './steps.ts';

const at = 'auth/jwt{{id}}';
const role = `${at}/role/r`;
const mount = enable('jwt{{id}}', 'jwt');
const pem = { jwt_validation_pubkeys: '{{signer_pem}}', bound_issuer: 'conformance' };
const bound = { role_type: 'jwt', user_claim: 'sub', bound_audiences: 'vault', token_policies: 'a' };
const setup = (more: object = {}, config: object = pem) => [
  mount,
  write(`${at}/config`, config),
  write(role, { ...bound, ...more }),
];
const anonymous = { as: 'none' } as const;
const turnedAway = (jwt: string, text: string) =>
  refused(`${at}/login`, { role: 'r', jwt: `{{${jwt}}}` }, 400, text, anonymous);
const invalid = (jwt: string, reason: string) => turnedAway(jwt, `error validating token: ${reason}`);
const admitted = login(`${at}/login`, { role: 'r', jwt: '{{signed}}' }, 'user', {
  policies: ['a', 'default'],
  metadata: { role: 'r' },
  orphan: true,
});

export const jwtCases: readonly Case[] = [
  {
    name: 'jwt: configuration and roles are read as written',
    steps: [
      mount,
      missing(`${at}/config`),
      refused(
        `${at}/config`,
        {},
        400,
        "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set",
      ),
      refused(
        `${at}/config`,
        { ...pem, jwks_url: 'http://x' },
        400,
        "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set",
      ),
      refused(`${at}/config`, { jwks_url: '{{kubernetes}}/nothing' }, 400, 'error checking jwks URL'),
      refused(
        `${at}/config`,
        { oidc_discovery_url: 'http://x/.well-known/openid-configuration' },
        400,
        "'oidc_discovery_url' contains '.well-known' component",
      ),
      write(`${at}/config`, { ...pem, default_role: 'r', jwt_supported_algs: 'RS256,ES256' }),
      read(`${at}/config`, {
        bound_issuer: 'conformance',
        default_role: 'r',
        jwks_url: '',
        jwt_supported_algs: ['RS256', 'ES256'],
        oidc_discovery_url: '',
        status: 'valid',
      }),
      write(role, { ...bound, claim_mappings: { team: 'group' }, bound_claims: { team: 'red' }, ttl: '1h' }),
      read(role, {
        role_type: 'jwt',
        user_claim: 'sub',
        bound_audiences: ['vault'],
        bound_claims: { team: 'red' },
        bound_claims_type: 'string',
        bound_subject: '',
        claim_mappings: { team: 'group' },
        expiration_leeway: 0,
        token_ttl: 3600,
        ttl: 3600,
        token_policies: ['a'],
        groups_claim: '',
      }),
      read(`${at}/role`, { keys: ['r'] }, { method: 'LIST' }),
      ask('DELETE', role),
      missing(role),
      missing(`${at}/role`, 'LIST'),
    ],
  },
  {
    name: 'jwt: wrong roles are refused in the same words',
    steps: [
      mount,
      refused(role, { ...bound, role_type: 'x' }, 400, "invalid 'role_type': x"),
      refused(
        role,
        { user_claim: 'sub' },
        400,
        "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.",
      ),
      refused(
        role,
        { role_type: 'jwt', bound_audiences: 'x' },
        400,
        'a user claim must be defined on the role',
      ),
      refused(
        role,
        { role_type: 'jwt', user_claim: 'sub' },
        400,
        'must have at least one bound constraint when creating/updating a role',
      ),
      refused(role, { ...bound, bound_claims_type: 'x' }, 400, "invalid 'bound_claims_type': x"),
      refused(
        role,
        { ...bound, claim_mappings: { a: 'role' } },
        400,
        'metadata key "role" is reserved and may not be a mapping destination',
      ),
      refused(
        role,
        { ...bound, claim_mappings: { a: 'x', b: 'x' } },
        400,
        'multiple keys are mapped to metadata key "x"',
      ),
    ],
  },
  {
    name: 'jwt: a token signed by a static key',
    steps: [
      ...setup({ claim_mappings: { team: 'group', '/nested/level': 'level' } }),
      login(`${at}/login`, { role: 'r', jwt: '{{signed}}' }, 'user', {
        metadata: { role: 'r', group: 'red', level: 'high' },
        policies: ['a', 'default'],
      }),
      read('auth/token/lookup-self', { display_name: 'jwt{{id}}-ann' }, { as: 'user' }),
      ask('PUT', 'auth/token/renew-self', {}, { as: 'user', status: 200 }),
      ask('DELETE', role),
      ask(
        'PUT',
        'auth/token/renew-self',
        {},
        {
          as: 'user',
          status: 500,
          errors: [wrapped('failed to renew entry: role r does not exist during renewal')],
        },
      ),
    ],
  },
  {
    name: 'jwt: tokens signed by a key of a JWKS, and of a discovered provider',
    steps: [
      ...setup({}, { jwks_url: '{{kubernetes}}/jwks', bound_issuer: 'conformance' }),
      admitted,
      invalid('signed_by_other', 'error verifying token signature: failed to verify id token signature'),
      write(`${at}/config`, { oidc_discovery_url: '{{kubernetes}}', bound_issuer: 'conformance' }),
      admitted,
    ],
  },
  {
    name: 'jwt: keys of several providers at once',
    skip: { openbao: 'jwks_pairs are of HashiCorp Vault' },
    steps: [
      mount,
      refused(
        `${at}/config`,
        { jwks_pairs: [{ jwks_ca_pem: 'x' }] },
        400,
        "'jwks_pairs' must be a list of objects with 'jwks_url' and 'jwks_ca_pem'",
      ),
      refused(
        `${at}/config`,
        { jwks_pairs: [{ jwks_url: '{{kubernetes}}/jwks' }, { jwks_url: '{{kubernetes}}/nothing' }] },
        400,
        'error checking jwks URL',
      ),
      write(`${at}/config`, {
        jwks_pairs: [{ jwks_url: '{{kubernetes}}/no-keys' }, { jwks_url: '{{kubernetes}}/jwks' }],
        bound_issuer: 'conformance',
      }),
      read(`${at}/config`, {
        jwks_pairs: [
          { jwks_url: '{{kubernetes}}/no-keys', jwks_ca_pem: '' },
          { jwks_url: '{{kubernetes}}/jwks', jwks_ca_pem: '' },
        ],
        status: 'valid',
      }),
      write(role, bound),
      admitted,
      invalid('signed_by_other', 'error verifying token signature: failed to verify id token signature'),
    ],
  },
  {
    name: 'jwt: a provider with rules of its own is refused, not passed over',
    skip: { openbao: 'it knows some providers by name' },
    steps: [
      mount,
      refused(
        `${at}/config`,
        { ...pem, provider_config: { provider: 'azure' } },
        400,
        'provider_config is not offered by this server',
      ),
    ],
  },
  {
    name: 'jwt: logins that are refused',
    steps: [
      mount,
      refused(`${at}/login`, { role: 'r', jwt: 'x' }, 400, 'could not load configuration', anonymous),
      write(`${at}/config`, pem),
      write(role, { ...bound, bound_subject: 'ann' }),
      refused(`${at}/login`, { jwt: 'x' }, 400, 'missing role', anonymous),
      refused(`${at}/login`, { role: 'none', jwt: 'x' }, 400, 'role "none" could not be found', anonymous),
      refused(`${at}/login`, { role: 'r' }, 400, 'missing token', anonymous),
      invalid(
        'signed_by_other',
        'error verifying token signature: no known key successfully validated the token signature',
      ),
      ask('POST', `${at}/login`, { role: 'r', jwt: '{{unsigned}}' }, { ...anonymous, status: 400 }),
      ask('POST', `${at}/login`, { role: 'r', jwt: 'abc' }, { ...anonymous, status: 400 }),
      invalid('signed_other_issuer', 'invalid issuer (iss) claim'),
      invalid('signed_other_subject', 'invalid subject (sub) claim'),
      invalid(
        'signed_other_audience',
        'invalid audience (aud) claim: audience claim does not match any expected audience',
      ),
      invalid('signed_expired', 'invalid expiration time (exp) claim: token is expired'),
      invalid('signed_not_yet', 'invalid not before (nbf) claim: token not yet valid'),
      invalid('signed_early', 'invalid issued at (iat) claim: token issued in the future'),
      invalid(
        'signed_timeless',
        'no issued at (iat), not before (nbf), or expiration time (exp) claims in token',
      ),
      write(`${at}/role/free`, { role_type: 'jwt', user_claim: 'sub', bound_subject: 'ann' }),
      refused(
        `${at}/login`,
        { role: 'free', jwt: '{{signed}}' },
        400,
        'audience claim found in JWT but no audiences bound to the role',
        anonymous,
      ),
    ],
  },
  {
    name: 'jwt: bound claims, by value and by glob',
    steps: [
      ...setup({ bound_claims: { team: 'red', roles: ['b', 'z'], '/nested/level': 'high' } }),
      admitted,
      turnedAway('signed_no_team', 'error validating claims: claim "team" is missing'),
      turnedAway(
        'signed_blue',
        'error validating claims: claim "team" does not match any associated bound claim values',
      ),
      write(role, { ...bound, bound_claims_type: 'glob', bound_claims: { team: 'r*d' } }),
      admitted,
      turnedAway(
        'signed_blue',
        'error validating claims: claim "team" does not match any associated bound claim values',
      ),
      write(role, { ...bound, user_claim: 'nosuch', bound_claims: {} }),
      turnedAway('signed', 'claim "nosuch" not found in token'),
    ],
  },
];
