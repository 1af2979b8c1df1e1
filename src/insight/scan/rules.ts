import { judgeBundles, judgeCompleteness, judgeLooseChains } from './judge-bundles.ts';
import { judgeRootConfigMaps, judgeSecretKeys } from './judge-cluster.ts';
import { judgeKeyModes, judgeKeys } from './judge-keys.ts';
import { judgeLifetimes, judgeTimes } from './judge-times.ts';
import { judgeRootsAcross } from './root-mismatch.ts';
import type { Rule } from './rule.ts';

/** What judgeChain and the linter of bundles say. */
const chainCodes = [
  'chain-incomplete',
  'chain-out-of-order',
  'bad-signature',
  'not-a-ca',
  'missing-key-cert-sign',
  'path-too-long',
  'name-not-permitted',
  'wrong-purpose',
  'unknown-critical-extension',
];

const bundleCodes = [
  'bad-certificate',
  'chain-lacks-ca',
  'weak-key',
  'root-not-self-signed',
  'duplicate-certificate',
  'unclean-pem',
];

/** The rules in the order of their findings. */
export const rules: readonly Rule[] = [
  { codes: ['expired', 'not-yet-valid'], judge: judgeTimes },
  { codes: ['key-does-not-match'], judge: judgeKeys },
  { codes: ['key-readable-by-all'], judge: judgeKeyModes },
  { codes: ['leaf-outlives-issuer'], judge: judgeLifetimes },
  { codes: ['bundle-incomplete'], judge: judgeCompleteness },
  { codes: [...chainCodes, ...bundleCodes, 'key-not-first'], judge: judgeBundles },
  { codes: ['chain-out-of-order'], judge: judgeLooseChains },
  { codes: ['root-mismatch'], judge: judgeRootsAcross },
  { codes: ['ca-key-in-secret'], judge: judgeSecretKeys },
  { codes: ['root-mismatch', 'roots-differ'], judge: judgeRootConfigMaps },
];
