import type { Expected, Step } from './case.ts';

type Method = Step['method'];

/** As root, with a body: a status and perhaps what the answer has. */
export const ask = (method: Method, path: string, body?: unknown, more: Partial<Step> = {}): Step => ({
  method,
  path,
  ...(body === undefined ? {} : { body }),
  status: method === 'GET' || method === 'LIST' ? 200 : 204,
  ...more,
});

export const write = (path: string, body: unknown, more: Partial<Step> = {}): Step =>
  ask('POST', path, body, more);

export const read = (path: string, data: Expected, more: Partial<Step> = {}): Step =>
  ask('GET', path, undefined, { body_has: { data }, ...more });

/** A write that is refused with exactly this text. */
export const refused = (
  path: string,
  body: unknown,
  status: number,
  text: string,
  more: Partial<Step> = {},
): Step => ask('POST', path, body, { status, errors: [text], ...more });

export const missing = (path: string, method: Method = 'GET'): Step =>
  ask(method, path, undefined, { status: 404, errors: [] });

/** Saves the token under `as`. */
export const login = (path: string, body: unknown, as: string, auth: Expected = {}): Step =>
  ask('POST', path, body, {
    as: 'none',
    status: 200,
    save: { [as]: 'auth.client_token' },
    body_has: { auth },
  });

export const enable = (path: string, type: string): Step => write(`sys/auth/${path}`, { type });
