import type { PatchOperation } from '../lib/json-patch.ts';
import { isRecord } from '../lib/records.ts';

/**
 * The patch that makes every webhook of a MutatingWebhookConfiguration trust `bundle`, or undefined when all do.
 * Each change is guarded by a test of the entry's name: indices may have moved since the object was read.
 * @param merge what the new bundle is, given the old one (PEM)
 */
export function caBundlePatch(
  configuration: Readonly<Record<string, unknown>>,
  merge: (old: string) => string,
): PatchOperation[] | undefined {
  const webhooks: unknown = configuration.webhooks;
  if (!Array.isArray(webhooks)) return undefined;
  const patch = webhooks.flatMap((webhook: unknown, i) => entryPatch(webhook, i, merge));
  return patch.length === 0 ? undefined : patch;
}

function entryPatch(webhook: unknown, i: number, merge: (old: string) => string): PatchOperation[] {
  if (!isRecord(webhook) || !isRecord(webhook.clientConfig)) return [];
  const old = webhook.clientConfig.caBundle;
  const current = typeof old === 'string' ? old : '';
  const wanted = Buffer.from(merge(Buffer.from(current, 'base64').toString())).toString('base64');
  if (wanted === current) return [];
  return [
    { op: 'test', path: `/webhooks/${i}/name`, value: webhook.name },
    { op: 'add', path: `/webhooks/${i}/clientConfig/caBundle`, value: wanted },
  ];
}
