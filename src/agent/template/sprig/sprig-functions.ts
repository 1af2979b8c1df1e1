import type { FunctionTable } from '../functions/define.ts';
import { cryptoFunctions } from './crypto.ts';
import { defaultFunctions, dictFunctions } from './dicts.ts';
import { listFunctions, reflectionFunctions } from './lists.ts';
import { numberFunctions } from './numbers.ts';
import { regexFunctions } from './regexes.ts';
import { pathFunctions, stringFunctions } from './strings.ts';
import { timeFunctions } from './times.ts';
import { urlFunctions } from './urls.ts';
import { versionFunctions } from './versions.ts';

/** The hermetic functions of sprig (v3.3), each as `sprig_NAME`. Loaded only for templates that use one. */
export function sprigFunctions(now: () => number): FunctionTable {
  const all = {
    ...stringFunctions,
    ...pathFunctions(),
    ...numberFunctions,
    ...listFunctions,
    ...dictFunctions,
    ...defaultFunctions,
    ...reflectionFunctions,
    ...cryptoFunctions,
    ...regexFunctions,
    ...urlFunctions,
    ...versionFunctions,
    ...timeFunctions(now),
  };
  return Object.fromEntries(Object.entries(all).map(([name, fn]) => [`sprig_${name}`, fn]));
}
