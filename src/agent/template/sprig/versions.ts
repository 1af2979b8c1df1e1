import { define, type FunctionTable } from '../functions/define.ts';
import { type GoFunction, GoStruct, type GoValue, Sized } from '../values.ts';
import { satisfies } from './constraint.ts';
import { parseVersion, type Version, versionText } from './version.ts';

/** `semver` and `semverCompare CONSTRAINT VERSION`. */
export const versionFunctions: FunctionTable = {
  semver: define(['string'], '*semver.Version', (a) => versionValue(parseVersion(a.text(0)))),
  semverCompare: define(['string', 'string'], 'bool', (a) => satisfies(a.text(0), parseVersion(a.text(1)))),
};

function versionValue(v: Version): GoStruct {
  const method = (type: string, value: GoValue): GoFunction => define([], type, () => value);
  const number = (n: bigint): GoFunction => method('uint64', new Sized('uint64', n));
  const methods = new Map<string, GoFunction>([
    ['Major', number(v.major)],
    ['Minor', number(v.minor)],
    ['Patch', number(v.patch)],
    ['Prerelease', method('string', v.prerelease)],
    ['Metadata', method('string', v.metadata)],
    ['Original', method('string', v.original)],
    ['String', method('string', versionText(v))],
  ]);
  return new GoStruct('*semver.Version', new Map(), methods);
}
