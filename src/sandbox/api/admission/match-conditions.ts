import { Environment } from '@marcbachmann/cel-js';
import { messageOf } from '../../../lib/errors.ts';
import { type ApiObject, type Fields, listAt, textAt } from '../fields.ts';
import type { AdmissionRequest } from './admission-request.ts';
import { WebhookCallError } from './webhook-call.ts';
import { reviewOf } from './webhook-match.ts';

/** The variables that a real API server offers to a webhook's match conditions, without `authorizer`. */
const environment = new Environment()
  .registerVariable('object', 'dyn')
  .registerVariable('oldObject', 'dyn')
  .registerVariable('request', 'dyn');

type Program = (variables: Record<string, unknown>) => unknown;
const programs = new Map<string, Program>();

/**
 * Whether all `matchConditions` of a webhook hold (Kubernetes >= 1.30): one that is false means that the webhook is not
 * asked; one that cannot be evaluated is an error only when none is false.
 * @throws WebhookCallError
 */
export function conditionsHold(
  hook: Fields,
  request: AdmissionRequest,
  object: ApiObject | undefined,
): boolean {
  const conditions = listAt(hook, 'matchConditions');
  if (conditions.length === 0) return true;
  const variables = {
    object: object ?? null,
    oldObject: request.oldObject ?? null,
    request: reviewOf('', request, object),
  };
  const problems: string[] = [];
  for (const condition of conditions) {
    const name = textAt(condition, 'name');
    try {
      if (programOf(textAt(condition, 'expression'))(variables) !== true) return false;
    } catch (error) {
      problems.push(`${name}: ${messageOf(error).split('\n')[0]}`);
    }
  }
  if (problems.length > 0)
    throw new WebhookCallError(`match conditions could not be evaluated: ${problems.join('; ')}`);
  return true;
}

function programOf(expression: string): Program {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  const program: Program = environment.parse(expression);
  if (programs.size > 256) programs.clear();
  programs.set(expression, program);
  return program;
}
