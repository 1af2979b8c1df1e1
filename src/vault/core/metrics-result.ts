import type { Metrics } from './metrics.ts';
import { refuse } from './refusal.ts';
import type { Result, VaultRequest } from './request.ts';

/**
 * sys/metrics: Prometheus when asked for by `format` or by the Accept header, else Vault's JSON.
 * Another format is answered 400 with a plain text, as upstream does. @throws Refusal 400 when metrics are off
 */
export async function metricsResult(
  metrics: Metrics,
  { data, headers }: Pick<VaultRequest, 'data' | 'headers'>,
): Promise<Result> {
  const accept = String(headers.accept ?? headers.Accept ?? '');
  const fallback = /openmetrics-text|text\/plain/.test(accept) ? 'prometheus' : '';
  const format = typeof data.format === 'string' && data.format !== '' ? data.format : fallback;
  if (format !== '' && format !== 'prometheus') {
    const body = `metric response format "${format}" unknown`;
    return { status: 400, raw: { contentType: 'text/plain', body } };
  }
  if (format === '') return { bare: true, data: await metrics.summary() };
  const body = await metrics.text();
  if (body === undefined) throw refuse('prometheus is not enabled');
  return { raw: { contentType: 'text/plain; version=0.0.4; charset=utf-8', body } };
}
