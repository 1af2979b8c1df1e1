import type { Case } from './case.ts';
import { errorCases } from './cases-errors.ts';
import { kvCases } from './cases-kv.ts';
import { loginCases } from './cases-login.ts';
import { pkiCases } from './cases-pki.ts';
import { policyCases } from './cases-policy.ts';
import { seedCases } from './cases-seed.ts';
import { tokenCases } from './cases-token.ts';
import { transitCases } from './cases-transit.ts';

/** In the order in which a mesh needs them: the seed's calls first. */
export const cases: readonly Case[] = [
  ...seedCases,
  ...loginCases,
  ...policyCases,
  ...tokenCases,
  ...kvCases,
  ...pkiCases,
  ...transitCases,
  ...errorCases,
];
