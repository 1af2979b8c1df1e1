import type { Case } from './case.ts';
import { approleCases } from './cases-approle.ts';
import { certCases } from './cases-cert.ts';
import { errorCases } from './cases-errors.ts';
import { groupCases } from './cases-groups.ts';
import { identityCases } from './cases-identity.ts';
import { jwtCases } from './cases-jwt.ts';
import { keyShareCases } from './cases-key-shares.ts';
import { kubernetesCases } from './cases-kubernetes.ts';
import { kvCases } from './cases-kv.ts';
import { loginCases } from './cases-login.ts';
import { pkiCases } from './cases-pki.ts';
import { pkiIdentityCases } from './cases-pki-identity.ts';
import { policyCases } from './cases-policy.ts';
import { roleTokenCases } from './cases-role-tokens.ts';
import { seedCases } from './cases-seed.ts';
import { sysCases } from './cases-sys.ts';
import { tokenCases } from './cases-token.ts';
import { tokenRoleCases } from './cases-token-roles.ts';
import { transitCases } from './cases-transit.ts';
import { transitDerivedCases } from './cases-transit-derived.ts';
import { userpassCases } from './cases-userpass.ts';

/** In the order in which a mesh needs them: the seed's calls first. */
export const cases: readonly Case[] = [
  ...seedCases,
  ...loginCases,
  ...kubernetesCases,
  ...policyCases,
  ...tokenCases,
  ...tokenRoleCases,
  ...roleTokenCases,
  ...approleCases,
  ...userpassCases,
  ...jwtCases,
  ...certCases,
  ...identityCases,
  ...groupCases,
  ...kvCases,
  ...pkiCases,
  ...pkiIdentityCases,
  ...transitCases,
  ...transitDerivedCases,
  ...errorCases,
  ...sysCases,
  ...keyShareCases,
];
