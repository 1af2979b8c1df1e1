import { realpathSync } from 'node:fs';
import { dirname, normalize, relative, resolve } from 'node:path';
import { quote } from '../quote.ts';
import { FunctionError, GoSlice, type GoStruct, toUtf8, unbox } from '../values.ts';
import { define, type FunctionTable } from './define.ts';
import { trimSpace } from './text.ts';

/** Something outside that a template needs; two templates that need the same one share it. */
export type Dependency =
  | { readonly kind: 'secret'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly data: Readonly<Record<string, string>> }
  | { readonly kind: 'list'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'pki' | 'istio-ca';
      readonly path: string;
      readonly data: Readonly<Record<string, string>>;
      /** The file that is written, or for `istio-ca` its folder: what was issued before is found there. */
      readonly place: string;
    };

/** What is known of the dependencies; asking for an unknown one notes that it is needed. */
export interface Brain {
  secret(dependency: Dependency): GoStruct | undefined;
  list(dependency: Dependency): readonly string[] | undefined;
  file(dependency: Dependency): string | undefined;
  pems(dependency: Dependency): GoStruct | undefined;
}

const s = 'string';

/** Name of a dependency, as consul-template logs it. */
export function dependencyName(d: Dependency): string {
  switch (d.kind) {
    case 'secret':
      return `vault.read(${d.path})`;
    case 'write':
      return `vault.write(${d.path} -> ${writeHash(d.data)})`;
    case 'list':
      return `vault.list(${d.path})`;
    case 'file':
      return `file(${d.path})`;
    case 'pki':
      return `vault.pki(${d.path}->${d.place})`;
    case 'istio-ca':
      return `istio.ca(${d.path}->${d.place})`;
  }
}

function writeHash(data: Readonly<Record<string, string>>): string {
  return Object.entries(data)
    .map(([k, v]) => `${k}=${v}`)
    .sort()
    .join(',');
}

export interface VaultFunctionOptions {
  readonly brain: Brain;
  readonly sandboxPath?: string | undefined;
  /** File that the template writes; empty when it writes none. */
  readonly destination?: string | undefined;
}

/** What reads and writes secrets and files. */
export function vaultFunctions({
  brain,
  sandboxPath,
  destination = '',
}: VaultFunctionOptions): FunctionTable {
  const issued = (kind: 'pki' | 'istio-ca', place: string) =>
    define([`...${s}`], 'interface {}', (a) => {
      const [path = '', ...pairs] = a.texts(0);
      if (a.length === 0) return undefined;
      if (destination === '')
        throw new FunctionError('it needs a destination, to find what was issued before');
      return brain.pems({ kind, path: cleanPath(path, 'read'), data: pairsOf(pairs), place });
    });
  return {
    pkiCert: issued('pki', destination),
    istioCA: issued('istio-ca', dirname(normalize(destination))),
    secret: define([`...${s}`], 'interface {}', (a) => {
      if (a.length === 0) return undefined;
      const [path = '', ...pairs] = a.texts(0);
      return brain.secret(secretDependency(path, pairs));
    }),
    secrets: define([s], '[]string', (a) => {
      if (a.text(0) === '') return new GoSlice('[]string', []);
      return new GoSlice('[]string', brain.list({ kind: 'list', path: cleanPath(a.text(0), 'list') }) ?? []);
    }),
    file: define([s], s, (a) => {
      if (a.text(0) === '') return '';
      const path = toUtf8(trimSpace(a.text(0)));
      if (sandboxPath !== undefined) staysInside(path, sandboxPath);
      return brain.file({ kind: 'file', path }) ?? '';
    }),
  };
}

/** Judged by the words of the path and by where links lead. */
function staysInside(path: string, folder: string): void {
  const inner = relative(real(resolve(folder)), real(resolve(path)));
  if (inner === '..' || inner.startsWith('../')) throw new FunctionError(`'${path}' is outside of sandbox`);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there yet: reading it will say so
  }
}

function secretDependency(path: string, pairs: readonly string[]): Dependency {
  if (pairs.length === 0) return { kind: 'secret', path: cleanPath(path, 'read') };
  return { kind: 'write', path: cleanPath(path, 'write'), data: pairsOf(pairs) };
}

function pairsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  const data: Record<string, string> = {};
  for (const pair of pairs) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    if (at === -1) throw new FunctionError(`not k=v pair ${quote(pair)}`);
    data[toUtf8(trimSpace(pair.slice(0, at)))] = toUtf8(trimSpace(pair.slice(at + 1)));
  }
  return data;
}

function cleanPath(path: string, what: 'read' | 'write' | 'list'): string {
  const clean = toUtf8(trimSpace(String(unbox(path)))).replace(/^\/+|\/+$/g, '');
  if (clean === '') throw new FunctionError(`vault.${what}: invalid format: ${quote(path)}`);
  return clean;
}
