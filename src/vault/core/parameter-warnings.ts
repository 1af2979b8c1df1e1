import type { RouteMatch } from './backend.ts';
import type { Fields } from './fields.ts';
import type { Result } from './request.ts';

/**
 * An answer tells of what was sent and meant nothing, so that a field that is written wrong is seen; one without a body cannot.
 * @param data as sent
 */
export function withParameterWarnings(
  result: Result | undefined,
  { route, params }: RouteMatch,
  data: Fields,
): Result | undefined {
  if (result === undefined || route.fields === undefined || !isEnvelope(result)) return result;
  const { fields } = route;
  const names = Object.keys(data).sort();
  const ignored = names.filter(
    (name) => !Object.hasOwn(fields, name) && !(name in params) && !paging.has(name),
  );
  const replaced = names.filter((name) => name in params && data[name] !== null);
  if (ignored.length + replaced.length === 0) return result;
  const said = [
    ...(ignored.length === 0
      ? []
      : [`Endpoint ignored these unrecognized parameters: [${ignored.join(' ')}]`]),
    ...(replaced.length === 0
      ? []
      : [
          `Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [${replaced.join(' ')}]`,
        ]),
  ];
  return { ...result, warnings: [...(result.warnings ?? []), ...said] };
}

/** Every list takes them. */
const paging = new Set(['after', 'limit']);

const isEnvelope = ({ raw, stream, envelope, bare, status }: Result): boolean =>
  raw === undefined && stream === undefined && envelope === undefined && bare !== true && status !== 204;
