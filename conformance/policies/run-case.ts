import type { PolicyCase, PolicyRequest } from './cases.ts';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** One call to a store. */
export type Ask = (
  method: PolicyRequest['method'],
  path: string,
  data?: Readonly<Record<string, unknown>>,
  options?: { readonly token?: string; readonly wrapTtl?: number },
) => Promise<Answer>;

export const mountName = 'kv-policies';

/** What a store makes of a case: a refusal's text, capabilities by path, or whether each request was let through. */
export async function runCase(one: PolicyCase, ask: Ask): Promise<unknown> {
  if (one.kind === 'parse') {
    const { status, body } = await write(ask, 'parsed', one.text);
    return status < 300 ? 'ok' : errorOf(body);
  }
  const texts = one.kind === 'capabilities' ? one.policies : [one.policy.replaceAll('MOUNT', mountName)];
  const names = texts.map((_, i) => `asked-${i}`);
  for (const [i, text] of texts.entries()) {
    const { status, body } = await write(ask, names[i] ?? '', text);
    if (status >= 300) return errorOf(body);
  }
  const made = await ask('PUT', 'auth/token/create', { policies: names, no_default_policy: true });
  const auth = made.body?.auth as { readonly client_token: string } | undefined;
  const token = auth?.client_token ?? '';
  if (one.kind === 'capabilities') {
    const { body } = await ask('PUT', 'sys/capabilities', { token, paths: one.paths });
    const data = body?.data as Record<string, readonly string[]>;
    return one.paths.map((path) => (data[path] ?? []).join(' '));
  }
  await ask('PUT', `${mountName}/p`, { kept: '1' });
  const statuses: boolean[] = [];
  for (const { method, path, data, wrapTtl } of one.requests) {
    const options = { token, ...(wrapTtl === undefined ? {} : { wrapTtl }) };
    const { status } = await ask(method, `${mountName}/${path}`, data, options);
    statuses.push(status !== 403);
  }
  return statuses;
}

const write = (ask: Ask, name: string, policy: string): Promise<Answer> =>
  ask('PUT', `sys/policies/acl/${name}`, { policy });

const errorOf = (body: Answer['body']): unknown => (body?.errors as readonly string[] | undefined)?.[0];
