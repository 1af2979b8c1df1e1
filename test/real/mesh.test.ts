import { test } from 'vitest';
import { meshScenario } from '../support/mesh-scenario.ts';
import { realParts } from '../support/mesh-world.ts';

const parts = realParts();
if ('missing' in parts) test.skip(`a mesh on real parts: not on PATH: ${parts.missing.join(', ')}`, () => {});
else meshScenario(`a mesh on ${parts.bao} and ${parts.apiserver} with ${parts.etcd}`, parts);
