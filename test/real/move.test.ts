import { test } from 'vitest';
import { cacertsScenario } from '../support/cacerts-scenario.ts';
import { realParts } from '../support/mesh-world.ts';

const parts = realParts();
if ('missing' in parts)
  test.skip(`a running mesh moved on real parts: not on PATH: ${parts.missing.join(', ')}`, () => {});
else cacertsScenario(`a running mesh moved to ${parts.bao}, on ${parts.apiserver} with ${parts.etcd}`, parts);
