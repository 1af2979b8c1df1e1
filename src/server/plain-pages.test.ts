import { afterAll, expect, test } from 'vitest';
import { type PlainPages, servePages } from './plain-pages.ts';

let pages: PlainPages | undefined;
afterAll(() => pages?.close());

async function get(path: string, init: RequestInit = {}): Promise<Response> {
  pages ??= await servePages('127.0.0.1:0', {
    '/ok': () => ({ text: 'fine\n', headers: { 'x-seen': 'yes' } }),
    '/not-yet': async () => ({ status: 503, text: 'wait\n' }),
    '/broken': () => {
      throw new Error('with a secret in it');
    },
  });
  return fetch(`http://${pages.address}${path}`, init);
}

test('a page is answered with its status and headers, whatever the query', async () => {
  const reply = await get('/ok?x=1');
  expect([reply.status, reply.headers.get('x-seen'), await reply.text()]).toEqual([200, 'yes', 'fine\n']);
  expect((await get('/not-yet')).status).toBe(503);
});

test('what is not there is answered with what is, and a write with 405', async () => {
  const reply = await get('/else');
  expect([reply.status, await reply.text()]).toEqual([404, 'try /ok, /not-yet, /broken\n']);
  expect((await get('/ok', { method: 'POST' })).status).toBe(405);
});

test('a page that fails is a bare 500', async () => {
  const reply = await get('/broken');
  expect([reply.status, await reply.text()]).toEqual([500, '']);
});

test('an address that is taken is told', async () => {
  await get('/ok');
  await expect(servePages(pages?.address ?? '', {})).rejects.toMatchObject({ code: 'cannot-listen' });
});
