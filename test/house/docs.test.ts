import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

  const folders = ['docs', 'charts', 'examples', 'conformance', 'bench', 'test'];
  const pages = [
    ...readdirSync(root),
    ...folders.flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    ),
  ].filter((name) => name.endsWith('.md') && !name.includes('node_modules'));
  test.each(pages)('every link of %s leads somewhere, to a heading that is there', (page) => {
    const wrong = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', heading] = link.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(root + file)) return true;
        return heading !== undefined && !headingsOf(read(file)).includes(heading);
      });
    expect(wrong).toEqual([]);
  });

  test('every metric and flag that docs/ca.md names is there', () => {
    const text = read('docs/ca.md');
    const names = [...text.matchAll(/\b((?:meshroot_ca|citadel_server)_[a-z_]+)/g)].map(
      ([, name = '']) => name,
    );
    const source = read('src/istio/ca-metrics.ts');
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !source.includes(`'${name.replace(/_bucket$/, '')}'`))).toEqual([]);
    const flags = [...text.matchAll(/`(--[a-z-]+)/g)].map(([, flag = '']) => flag);
    expect(flags.filter((flag) => !read('src/cli/ca.ts').includes(`'${flag} `))).toEqual([]);
  });

  test('the list of documents names every one of them', () => {
    const listed = read('docs/README.md');
    const written = readdirSync(`${root}docs`).filter((name) => name !== 'README.md' && name.includes('.'));
    expect(written.filter((name) => !listed.includes(`(${name})`))).toEqual([]);
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

/** Anchors as GitHub makes them of headings. */
function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
