import { cacertsScenario } from '../../support/cacerts-scenario.ts';

cacertsScenario('a running mesh moved to our store, on two sandbox clusters');
