import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import type { Io } from '../../src/cli/io.ts';

const src = new URL('../../src/', import.meta.url).pathname;
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
);

/** Sentences about meshroot, not commands of it. */
const prose = new Set(['made', 'makes', 'that', 'wrote', 'writes', 'runs', 'cannot', 'store']);

/** Lines of hints and of the examples below --help: what they name, people type. */
const advice = files.flatMap((file) =>
  readFileSync(join(src, file), 'utf8')
    .split('\n')
    .filter((line) => /hint|next:|fix|^ {2}meshroot |broken\(/.test(line) || /^\s+['"`].*meshroot/.test(line))
    .map((line) => ({ file, line })),
);

/** `meshroot COMMAND`, its words, and the flags that follow in the same breath. */
const typed = advice.flatMap(({ file, line }) =>
  [...line.matchAll(/\bmeshroot ([a-z]+)((?: (?:[\w=./:{}$"-]+))*)/g)].map(
    ([text, name = '', rest = '']) => ({
      file,
      text,
      name,
      flags: [...rest.matchAll(/ --([a-z][a-z-]*)/g)].map(([, flag = '']) => flag),
    }),
  ),
);

const flagsOf = (command: Command): string[] => [
  ...command.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long.slice(2)])),
  ...command.commands.flatMap(flagsOf),
];

describe('advice', () => {
  const known = new Map<string, readonly string[]>();
  beforeAll(async () => {
    const { signal } = new AbortController();
    const io: Io = { stdout: process.stdout, stderr: process.stderr, env: {}, signal, exitCode: 0 };
    for (const [name, { load }] of Object.entries(commands)) {
      known.set(name, ['help', ...flagsOf((await load()).command(io))]);
    }
  }, 60_000); // it loads every command there is

  test('names commands that exist', () => {
    expect(typed.length).toBeGreaterThan(40);
    expect(typed.filter(({ name }) => !known.has(name) && !prose.has(name))).toEqual([]);
  });

  test('names flags that they have', () => {
    const wrong = typed.flatMap(({ file, text, name, flags }) =>
      flags
        .filter((flag) => known.get(name)?.includes(flag) === false)
        .map((flag) => `${file}: ${text} (--${flag})`),
    );
    expect(wrong).toEqual([]);
  });

  test('rooms that many commands use name no flag that only some of them have', () => {
    const shared = advice.filter(
      ({ file, line }) => /^(kube|client|mesh)\//.test(file) && /hint:.* --/.test(line),
    );
    const bare = shared.filter(({ line }) => !/meshroot |kubectl |vault |mesh\.yaml/.test(line));
    expect(bare.map(({ file, line }) => `${file}: ${line.trim()}`)).toEqual([]);
  });
});
