import { meshScenario } from '../../support/mesh-scenario.ts';

meshScenario('a mesh on our store and two sandbox clusters');
