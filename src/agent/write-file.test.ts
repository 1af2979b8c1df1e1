import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TemplateBrain } from './brain.ts';
import { ownerOf } from './owner.ts';
import { renderTemplate } from './template/render.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('an owner is found by name or number, and one that is not there is refused with a hint', async () => {
  expect(await ownerOf({ user: 'root', group: '12' })).toEqual({ uid: 0, gid: 12 });
  expect(await ownerOf({ user: undefined, group: undefined })).toBeUndefined();
  await expect(ownerOf({ user: 'no-such-user', group: undefined })).rejects.toMatchObject({
    code: 'unknown-owner',
    message: 'failed looking up user "no-such-user": it is not in /etc/passwd',
    hint: 'give its number instead: uid',
  });
});

test('file stays inside its sandbox, by words and by links', async () => {
  await mkdir(join(folder, 'in'));
  await writeFile(join(folder, 'out'), 'x');
  await symlink(join(folder, 'out'), join(folder, 'in', 'link'));
  expect((await stat(join(folder, 'in', 'link'))).isFile()).toBe(true);
  const render = (path: string): string =>
    renderTemplate({
      contents: `{{ file "${path}" }}`,
      sandboxPath: join(folder, 'in'),
      brain: new TemplateBrain(),
      env: {},
      now: () => 0,
    }).toString();
  expect(render(join(folder, 'in', 'a'))).toBe('');
  for (const path of [join(folder, 'in', '..', 'out'), join(folder, 'out'), join(folder, 'in', 'link')])
    expect(() => render(path)).toThrow('is outside of sandbox');
});
