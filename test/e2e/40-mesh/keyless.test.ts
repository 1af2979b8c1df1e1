import { keylessScenario } from '../../support/keyless-scenario.ts';

keylessScenario('a cluster whose CA key stays in Vault, beside one with a bundle');
