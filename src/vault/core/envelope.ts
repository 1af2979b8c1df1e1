import type { Reply, Result } from './request.ts';

/** The answer as Vault writes it: all keys always there. */
export function envelope(id: string, result: Result): Reply {
  if (result.raw !== undefined) return { status: result.status ?? 200, raw: result.raw };
  if (result.stream !== undefined) return { status: 200, stream: result.stream };
  if (result.envelope !== undefined) return { status: 200, body: { ...result.envelope, request_id: id } };
  const { data = null } = result;
  if (result.bare === true) return { status: result.status ?? 200, body: data };
  return {
    status: result.status ?? 200,
    body: {
      ...(result.flatten === true ? data : {}),
      request_id: id,
      lease_id: result.leaseId ?? '',
      renewable: result.renewable ?? false,
      lease_duration: result.leaseDuration ?? 0,
      data,
      wrap_info: null,
      warnings: result.warnings ?? null,
      auth: result.auth ?? null,
    },
  };
}
