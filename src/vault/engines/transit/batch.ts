import type { Context } from '../../core/backend.ts';
import { coerceFields, type Fields, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { Refusal, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

export type One = (fields: Fields) => Fields | Promise<Fields>;

export interface BatchStyle {
  readonly schema: Schema;
  /** What a failed item carries beside its error. */
  readonly failed: Fields;
  /** Whether a failed item makes the whole call a 400. */
  readonly isStrict: boolean;
}

/** One item, or each of `batch_input`: there an item that fails says so and the others go on. */
export async function oneOrBatch(context: Context, style: BatchStyle, one: One): Promise<Result> {
  const { batch_input: items } = context.data;
  if (items === undefined || items === null) return { data: await one(context.fields) };
  if (!Array.isArray(items)) throw refuse('failed to parse batch input: expected a list');
  if (items.length === 0) throw refuse('missing batch input to process');
  const results: Fields[] = [];
  let failures = 0;
  for (const item of items) {
    const { result, isFailure } = await attempt(style, one, item);
    if (isFailure) failures++;
    results.push(result);
  }
  const data = { batch_results: results };
  if (failures === 0 || !style.isStrict) return { data };
  const code = numberOf(context.fields, 'partial_failure_response_code');
  return { data, status: failures < items.length && code > 0 ? code : 400 };
}

async function attempt(
  style: BatchStyle,
  one: One,
  item: unknown,
): Promise<{ readonly result: Fields; readonly isFailure: boolean }> {
  let reference = '';
  try {
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      throw refuse('an item is no object');
    const fields = coerceFields({ ...style.schema, reference: 'string' }, item as Fields);
    reference = textOf(fields, 'reference');
    return { result: { ...(await one(fields)), reference }, isFailure: false };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return {
      result: { ...style.failed, error: error.message, reference },
      isFailure: true,
    };
  }
}
