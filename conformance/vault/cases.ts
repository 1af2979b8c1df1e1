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
import { mountCases } from './cases-mounts.ts';
import { pkiIdentityCases } from './cases-pki-identity.ts';
import { pkiIssuerCases } from './cases-pki-issuers.ts';
import { pkiLeafCases } from './cases-pki-leaves.ts';
import { pkiListCases } from './cases-pki-lists.ts';
import { pkiRevocationCases } from './cases-pki-revocation.ts';
import { pkiRoleCases } from './cases-pki-roles.ts';
import { policyCases } from './cases-policy.ts';
import { policyRuleCases } from './cases-policy-rules.ts';
import { requestCases } from './cases-requests.ts';
import { roleTokenCases } from './cases-role-tokens.ts';
import { seedCases } from './cases-seed.ts';
import { sysCases } from './cases-sys.ts';
import { sysNodeCases } from './cases-sys-node.ts';
import { tokenCases } from './cases-token.ts';
import { tokenRoleCases } from './cases-token-roles.ts';
import { transitCases } from './cases-transit.ts';
import { transitDerivedCases } from './cases-transit-derived.ts';
import { transitKeyCases } from './cases-transit-keys.ts';
import { userpassCases } from './cases-userpass.ts';

/** In the order in which a mesh needs them: the seed's calls first. */
export const cases: readonly Case[] = [
  ...seedCases,
  ...loginCases,
  ...kubernetesCases,
  ...policyCases,
  ...policyRuleCases,
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
  ...pkiRoleCases,
  ...pkiIssuerCases,
  ...pkiLeafCases,
  ...pkiRevocationCases,
  ...pkiListCases,
  ...pkiIdentityCases,
  ...transitCases,
  ...transitDerivedCases,
  ...transitKeyCases,
  ...errorCases,
  ...requestCases,
  ...mountCases,
  ...sysCases,
  ...sysNodeCases,
  ...keyShareCases,
];
