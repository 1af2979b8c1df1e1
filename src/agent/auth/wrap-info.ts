/** The `wrap_info` of an answer, or undefined. */
export function wrapInfo(body: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof body !== 'object' || body === null || !('wrap_info' in body)) return undefined;
  const info = body.wrap_info as Readonly<Record<string, unknown>> | null;
  return typeof info?.token === 'string' && info.token !== '' ? info : undefined;
}
