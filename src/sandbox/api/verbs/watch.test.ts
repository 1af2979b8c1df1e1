import { describe, expect, test } from 'vitest';
import { admin, configMap, dig, type TestApi, testApi } from '../../test-api.ts';

const maps = '/api/v1/namespaces/demo/configmaps';

interface Event {
  readonly type: string;
  readonly object: Record<string, unknown>;
}

/** Starts a watch; `next` waits for one event, `stop` ends it as a client that leaves. */
async function watch(t: TestApi, query: Record<string, string>, accept = 'application/json') {
  const leaving = new AbortController();
  const reply = await t.send('GET', maps, {
    user: admin,
    headers: { accept },
    query: { watch: 'true', ...query },
    signal: leaving.signal,
  });
  const lines = reply.stream?.[Symbol.asyncIterator]();
  return {
    reply,
    next: async (): Promise<Event> => {
      const { value } = (await lines?.next()) ?? {};
      return JSON.parse(String(value)) as Event;
    },
    stop: async () => {
      leaving.abort();
      return await lines?.next();
    },
  };
}

const seen = ({ type, object }: Event): string => `${type} ${dig(object, 'metadata.name')}`;

describe('a watch', () => {
  test('without a version shows what is there, then what comes', async () => {
    const t = await testApi();
    await t.api.create(configMap('a'));
    const w = await watch(t, {});
    expect(seen(await w.next())).toBe('ADDED a');
    const b = t.api.create(configMap('b'));
    expect(seen(await w.next())).toBe('ADDED b');
    await b;
    await t.api.request('DELETE', `${maps}/a`);
    expect(seen(await w.next())).toBe('DELETED a');
    expect((await w.stop())?.done).toBe(true);
  });
  test('from a version shows only what came later', async () => {
    const t = await testApi();
    const a = await t.api.create(configMap('a'));
    await t.api.create(configMap('b'));
    const w = await watch(t, { resourceVersion: a.metadata.resourceVersion ?? '' });
    expect(seen(await w.next())).toBe('ADDED b');
    await w.stop();
  });
  test('with sendInitialEvents marks the end of the beginning (KEP-3157)', async () => {
    const t = await testApi();
    await t.api.create(configMap('a'));
    const options = {
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    };
    const w = await watch(t, options);
    expect(seen(await w.next())).toBe('ADDED a');
    const bookmark = await w.next();
    expect(bookmark.type).toBe('BOOKMARK');
    expect(bookmark.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(dig(bookmark.object, 'metadata.annotations')).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(dig(bookmark.object, 'metadata.resourceVersion')).toBe(String(t.store.revision));
    await w.stop();
    const wrong = await watch(t, { sendInitialEvents: 'true' });
    expect(wrong.reply.status).toBe(422);
  });
  test('from too old a version, or one from before a restart, is told to list again', async () => {
    const t = await testApi({ logLength: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) await t.api.create(configMap(name));
    for (const resourceVersion of ['1', '99999']) {
      const w = await watch(t, { resourceVersion });
      const event = await w.next();
      expect(event.type).toBe('ERROR');
      expect(event.object).toMatchObject({ code: 410, reason: 'Expired' });
      expect(event.object.message).toContain(`too old resource version: ${resourceVersion}`);
    }
  });
  test('with a selector sees objects enter and leave its view', async () => {
    const t = await testApi();
    const w = await watch(t, { labelSelector: 'x=1', resourceVersion: String(t.store.revision) });
    await t.api.create(configMap('a'));
    const label = (x: string | null) =>
      t.api.request('PATCH', `${maps}/a`, {
        body: { metadata: { labels: { x } } },
        contentType: 'application/merge-patch+json',
      });
    await label('1');
    await label(null);
    expect(seen(await w.next())).toBe('ADDED a');
    expect(seen(await w.next())).toBe('DELETED a');
    await w.stop();
  });
  test('as tables names the columns once; as metadata leaves the data out', async () => {
    const t = await testApi();
    await t.api.create(configMap('a', { secret: 'x' }));
    await t.api.create(configMap('b'));
    const tables = await watch(t, {}, 'application/json;as=Table;v=v1;g=meta.k8s.io');
    expect((await tables.next()).object.columnDefinitions).toHaveLength(3);
    expect((await tables.next()).object.columnDefinitions).toHaveLength(0);
    await tables.stop();
    const partial = await watch(t, {}, 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io');
    const { object } = await partial.next();
    expect([object.kind, object.data]).toEqual(['PartialObjectMetadata', undefined]);
    await partial.stop();
  });
});
