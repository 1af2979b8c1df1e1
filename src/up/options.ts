import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { MeshrootError } from '../lib/errors.ts';
import { nearestWord } from '../lib/nearest-word.ts';

/** The parts for which a user's own binary can stand in. */
export const parts = ['vault', 'istiod', 'agent', 'injector', 'kube-apiserver', 'etcd'] as const;
export type Part = (typeof parts)[number];
/** The parts that run on a cluster's node, and so may be another's in one cluster alone. */
const nodeParts = ['istiod', 'agent', 'injector'] as const satisfies readonly Part[];
/** A part everywhere, or in one cluster: `istiod@cluster1`. */
export type WithKey = Part | `${(typeof nodeParts)[number]}@${string}`;

export interface UpOptions {
  readonly dir: string;
  /** False: the folder is removed at the end. */
  readonly keepDir: boolean;
  readonly once: boolean;
  readonly clusters: number;
  /** Of the root and the intermediates; undefined = ec-p384 root, ec-p256 intermediates. */
  readonly keyType: 'ec-p256' | 'ec-p384' | 'rsa-4096' | undefined;
  readonly portBase: number;
  /** Absolute paths of real binaries. */
  readonly with: ReadonlyMap<WithKey, string>;
}

/**
 * `PART=PATH` words of --with, or `PART@CLUSTER=PATH` for one cluster alone.
 * @throws MeshrootError `bad-with`
 */
export function parseWith(words: readonly string[], clusters = 2): Map<WithKey, string> {
  const map = new Map(words.map((word) => parseOne(word, clusters)));
  if (map.has('kube-apiserver') !== map.has('etcd')) {
    const [here, other] = map.has('etcd') ? ['etcd', 'kube-apiserver'] : ['kube-apiserver', 'etcd'];
    throw new MeshrootError('bad-with', `--with ${here}: a real ${here} needs a real ${other}`, {
      hint: `add --with ${other}=/usr/local/bin/${other}`,
    });
  }
  return map;
}

function parseOne(word: string, clusters: number): [WithKey, string] {
  const [key = '', ...rest] = word.split('=');
  const [name = '', cluster] = key.split('@');
  const path = rest.join('=');
  const part = parts.find((known) => known === name);
  if (part === undefined) {
    const near = nearestWord(name, parts);
    throw new MeshrootError(
      'bad-with',
      `--with ${word}: "${name}" is no part${near === undefined ? '' : `; did you mean ${near}?`}`,
      {
        hint: `parts: ${parts.join(', ')}; for example --with istiod=/usr/local/bin/pilot-discovery`,
      },
    );
  }
  const onNode = nodeParts.find((known) => known === part);
  if (cluster !== undefined && (onNode === undefined || !isCluster(cluster, clusters))) {
    throw new MeshrootError('bad-with', `--with ${word}: "${key}" is no part of one cluster`, {
      hint: `for example --with istiod@cluster1=/usr/local/bin/pilot-discovery; one of: ${nodeParts.join(', ')}`,
    });
  }
  const file = resolve(path);
  if (path === '' || !existsSync(file) || !statSync(file).isFile()) {
    throw new MeshrootError(
      'bad-with',
      `--with ${word}: ${path === '' ? 'no path is given' : `${file} is no file`}`,
      {
        hint: `for example --with ${part}=/usr/local/bin/${part}`,
      },
    );
  }
  return [cluster === undefined || onNode === undefined ? part : `${onNode}@${cluster}`, file];
}

/** `cluster1` and so on. */
const isCluster = (name: string, clusters: number): boolean =>
  Array.from({ length: clusters }, (_, i) => `cluster${i + 1}`).includes(name);
