import { test } from 'vitest';
import { keylessScenario } from '../support/keyless-scenario.ts';
import { realParts } from '../support/mesh-world.ts';

const parts = realParts();
if ('missing' in parts)
  test.skip(`a keyless cluster on real parts: not on PATH: ${parts.missing.join(', ')}`, () => {});
else keylessScenario(`a keyless cluster on ${parts.bao} and ${parts.apiserver}`, parts);
