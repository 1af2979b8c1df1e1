import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { PathMap } from './path-map.ts';

/** As the injector starts an agent whose configuration is in a ConfigMap: checked, then read. */
const checked = /^echo "([0-9a-f]{64}) {2}([^"]+)" \| sha256sum -c - && (.* -config=)\2$/;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * The paths in an agent's configuration mapped also when it comes as a file of a volume, by a copy that the command line
 * names instead. One that is not what the command line expects is left for the command to refuse.
 * @param word of a command line, its own paths mapped already
 * @param copy where to write it
 */
export async function withMappedConfig(word: string, paths: PathMap, copy: string): Promise<string> {
  const [, sum, file = '', start] = checked.exec(word) ?? [];
  if (sum === undefined) return word;
  const text = await readFile(file, 'utf8');
  if (sha256(text) !== sum) return word;
  const mapped = paths.text(text);
  await writeFile(copy, mapped, { mode: 0o600 });
  return `echo "${sha256(mapped)}  ${copy}" | sha256sum -c - && ${start}${copy}`;
}
