import { FunctionError, type GoValue, stringMap } from '../values.ts';
import { define, type FunctionTable } from './define.ts';
import { fromJson, type JsonStyle, toJson } from './json.ts';
import { toToml } from './toml.ts';
import { fromYaml, toYaml } from './yaml.ts';

const s = 'string';
const any = 'interface {}';

/** Wraps an encoder so that its error says which function it came from, as pkg/errors does upstream. */
function encoder(name: string, encode: (v: GoValue) => string): [string, ReturnType<typeof define>] {
  const fn = define([any], s, (a) => {
    try {
      return encode(a.value(0));
    } catch (error) {
      if (error instanceof FunctionError) throw new FunctionError(`${name}: ${error.message}`);
      throw error;
    }
  });
  return [name, fn];
}

const json = (style: JsonStyle) => (v: GoValue) => toJson(v, style);

/** Base64, JSON, YAML and TOML, both ways. */
export const encodingFunctions: FunctionTable = {
  base64Encode: define([s], s, (a) => Buffer.from(a.text(0), 'latin1').toString('base64')),
  base64Decode: define([s], s, (a) => base64Decode('base64Decode', a.text(0), /[^A-Za-z0-9+/]/)),
  base64URLEncode: define([s], s, (a) => urlSafe(Buffer.from(a.text(0), 'latin1').toString('base64'))),
  base64URLDecode: define([s], s, (a) => base64Decode('base64URLDecode', a.text(0), /[^A-Za-z0-9_-]/)),
  parseJSON: define([s], any, (a) => (a.text(0) === '' ? stringMap([]) : fromJson(a.text(0), 'float64'))),
  parseYAML: define([s], any, (a) => (a.text(0) === '' ? stringMap([]) : fromYaml(a.text(0)))),
  ...Object.fromEntries([
    encoder('toJSON', json({ escapeHtml: true, indent: 0 })),
    encoder('toJSONPretty', json({ escapeHtml: true, indent: 2 })),
    encoder('toUnescapedJSON', json({ escapeHtml: false, indent: 0 })),
    encoder('toUnescapedJSONPretty', json({ escapeHtml: false, indent: 2 })),
    encoder('toYAML', (v) => toYaml(v).trim()),
    encoder('toTOML', (v) => toToml(v).trim()),
  ]),
};

function urlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

/** Go's strict decoder: padding is required, CR and LF are skipped, the error names the first wrong byte. */
function base64Decode(name: string, text: string, foreign: RegExp): string {
  const body = text.replace(/[\r\n]/g, '');
  const data = body.replace(/={1,2}$/, '');
  const bad = foreign.exec(data);
  const ok = bad === null && body.length % 4 === 0 && data.length % 4 !== 1;
  if (!ok) {
    const at = bad === null ? Math.floor(text.length / 4) * 4 + (text.length % 4 === 0 ? -4 : 0) : bad.index;
    const offset = bad === null && !text.includes('=') ? Math.floor(text.length / 4) * 4 : at;
    throw new FunctionError(`${name}: illegal base64 data at input byte ${Math.max(offset, 0)}`);
  }
  return Buffer.from(data, name === 'base64Decode' ? 'base64' : 'base64url').toString('latin1');
}
