import { define, type FunctionTable } from '../functions/define.ts';
import { kindOf } from '../types.ts';
import { FunctionError, type GoValue, stringMap, unbox } from '../values.ts';

const map = 'map[string]interface {}';

/** `urlParse` and `urlJoin`: an address as a map of its parts and back (RFC 3986). */
export const urlFunctions: FunctionTable = {
  urlParse: define(['string'], map, (a) => stringMap(Object.entries(parts(a.text(0))))),
  urlJoin: define([map], 'string', (a) => joined(a.map(0))),
};

function parts(text: string): Record<string, string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses them by this name
  if (/[\x00-\x1f\x7f]/.test(text)) throw bad(text, 'net/url: invalid control character in URL');
  const [, rest = '', fragment = ''] = /^([^#]*)#?([\s\S]*)$/.exec(text) ?? [];
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1] ?? '';
  if (scheme === '' && rest.startsWith(':')) throw bad(text, 'missing protocol scheme');
  const after = scheme === '' ? rest : rest.slice(scheme.length + 1);
  const [, before = '', query = ''] = /^([^?]*)\??([\s\S]*)$/.exec(after) ?? [];
  const opaque = scheme !== '' && !before.startsWith('/') ? before : '';
  const [, authority = '', path = ''] = /^(?:\/\/([^/]*))?([\s\S]*)$/.exec(opaque === '' ? before : '') ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) throw bad(text, `invalid port ":${port}" after host`);
  return {
    scheme: scheme.toLowerCase(),
    host,
    hostname: host.replace(/:[^:\]]*$/, '').replace(/^\[|\]$/g, ''),
    path: decoded(path, text),
    query,
    opaque,
    fragment: decoded(fragment, text),
    userinfo: authority.slice(0, Math.max(0, at)),
  };
}

function bad(text: string, reason: string): FunctionError {
  return new FunctionError(`unable to parse url: parse ${JSON.stringify(text)}: ${reason}`);
}

function decoded(part: string, whole: string): string {
  const wrong = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(part);
  if (wrong !== null) throw bad(whole, `invalid URL escape ${JSON.stringify(wrong[0])}`);
  return part.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Bytes that a path or fragment may hold as they are. */
function encoded(part: string, also: string): string {
  return [...part]
    .map((c) =>
      /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(c) || also.includes(c)
        ? c
        : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

function joined(from: ReadonlyMap<string, GoValue>): string {
  const part = (key: string): string => {
    const v = unbox(from.get(key));
    if (!from.has(key)) return '';
    if (typeof v === 'string') return v;
    throw new FunctionError(`unable to parse ${key} key, must be of type string, but ${kindOf(v)} found`);
  };
  const [scheme, host, path, userinfo] = [part('scheme'), part('host'), part('path'), part('userinfo')];
  let out = scheme === '' ? '' : `${scheme}:`;
  if (part('opaque') === '') {
    const authority = (userinfo === '' ? '' : `${userinfo}@`) + host;
    if (scheme !== '' || authority !== '') {
      if (host !== '' || path !== '' || userinfo !== '') out += '//';
      out += authority;
    }
    if (path !== '' && !path.startsWith('/') && host !== '') out += '/';
    out += encoded(path, '');
  } else out += part('opaque');
  if (part('query') !== '') out += `?${part('query')}`;
  return part('fragment') === '' ? out : `${out}#${encoded(part('fragment'), "!()*?'")}`;
}
