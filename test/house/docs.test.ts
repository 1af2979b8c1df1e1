import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { parseMesh } from '../../src/mesh/load.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (name: string) => readFileSync(`${root}${name}`, 'utf8');

describe('the documents', () => {
  test('every file that ARCHITECTURE names is there', () => {
    const named = [...read('ARCHITECTURE.md').matchAll(/`([\w-]+(?:\/[\w-]+)*\/[\w-]+\.(?:ts|md))`/g)].map(
      ([, path]) => path ?? '',
    );
    expect(named.length).toBeGreaterThan(30);
    expect(
      named.filter((path) => !existsSync(`${root}src/${path}`) && !existsSync(`${root}${path}`)),
    ).toEqual([]);
  });

  test('every link of README leads somewhere', () => {
    const links = [...read('README.md').matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.filter((path) => !path.startsWith('http') && !existsSync(root + path))).toEqual([]);
  });

  test('every command of README is one of ours', () => {
    const typed = [...read('README.md').matchAll(/(?:bin\/meshroot|`meshroot) ([a-z]+)/g)].map(
      ([, name]) => name ?? '',
    );
    expect(typed.length).toBeGreaterThan(5);
    expect(typed.filter((name) => !Object.hasOwn(commands, name))).toEqual([]);
  });

  test('the table of the end-to-end tests has each of their folders, and no other', () => {
    const folders = readdirSync(`${root}test/e2e`, { withFileTypes: true }).filter((at) => at.isDirectory());
    const listed = [...read('test/e2e/README.md').matchAll(/^\| \[[\w-]+\]\(([\w-]+)\)/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual(folders.map(({ name }) => name).sort());
  });

  test("README's mesh.yaml is accepted", () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
    expect(parseMesh(yaml, 'README.md').clusters.map(({ name }) => name)).toEqual(['prod-eu', 'prod-us']);
  });
});
