import { type ApiObject, fieldsAt, isFields, listAt, textAt, textsAt } from './fields.ts';
import { badRequest } from './status-error.ts';

export type Labels = Readonly<Record<string, string>>;

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  readonly values: readonly string[];
}

const keyPattern = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const unparsable = (why: string) => badRequest(`unable to parse requirement: ${why}`);

/**
 * The requirements of `a=b,c!=d,e in (x,y),f notin (z),g,!h,n>3`; all must hold.
 * @throws StatusError 400
 */
export function parseLabelSelector(text: string): LabelRequirement[] {
  return splitOutsideParentheses(text).map((part) => parseRequirement(part));
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const char of text) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === ',' && depth === 0) {
      parts.push(current);
      current = '';
    } else current += char;
  }
  if (depth !== 0) throw unparsable(`found unbalanced parentheses in "${text}"`);
  if (parts.length > 0 || current.trim() !== '') parts.push(current);
  return parts.map((part) => part.trim());
}

function parseRequirement(part: string): LabelRequirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((v) => v.trim());
    return requirement(set[1] ?? '', set[2] === 'in' ? 'in' : 'notin', values);
  }
  const compared = /^([^\s=!<>]+)\s*(==|=|!=|>|<)\s*(\S*)$/.exec(part);
  if (compared !== null) {
    const operators = { '==': 'in', '=': 'in', '!=': 'notin', '>': 'gt', '<': 'lt' } as const;
    const operator = operators[compared[2] as keyof typeof operators];
    return requirement(compared[1] ?? '', operator, [compared[3] ?? '']);
  }
  if (part.startsWith('!')) return requirement(part.slice(1).trim(), 'absent', []);
  return requirement(part, 'exists', []);
}

function requirement(
  key: string,
  operator: LabelRequirement['operator'],
  values: readonly string[],
): LabelRequirement {
  if (!keyPattern.test(key)) throw unparsable(`<nil>: Invalid value: "${key}": not a label key`);
  const wrong = values.find((value) => !valuePattern.test(value));
  if (wrong !== undefined)
    throw unparsable(`values[0][${key}]: Invalid value: "${wrong}": not a label value`);
  return { key, operator, values };
}

/** Whether labels meet every requirement. */
export function labelsMatch(requirements: readonly LabelRequirement[], labels: Labels = {}): boolean {
  return requirements.every((one) =>
    holds(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined),
  );
}

function holds({ operator, values }: LabelRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'lt':
      return value !== undefined && Number(value) < Number(values[0]);
  }
}

const objectOperators: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: 'absent',
};

/** The requirements of a `LabelSelector` object (matchLabels, matchExpressions); `{}` matches everything. */
export function parseSelectorObject(selector: unknown): LabelRequirement[] {
  const labels = Object.entries(fieldsAt(selector, 'matchLabels')).map(
    ([key, value]): LabelRequirement => ({ key, operator: 'in', values: [String(value)] }),
  );
  const expressions = listAt(selector, 'matchExpressions')
    .filter(isFields)
    .map((e): LabelRequirement => {
      const operator = objectOperators[textAt(e, 'operator')];
      if (operator === undefined)
        throw badRequest(`"${textAt(e, 'operator')}" is not a valid label selector operator`);
      return { key: textAt(e, 'key'), operator, values: textsAt(e, 'values') };
    });
  return [...labels, ...expressions];
}

export interface FieldRequirement {
  readonly path: string;
  readonly equal: boolean;
  readonly value: string;
}

const everyKind = ['metadata.name', 'metadata.namespace'];
const eventFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** Which fields a selector may name, by resource; all others are refused as a real API server does. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    ...eventFields.map((f) => `involvedObject.${f}`),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  secrets: ['type'],
  namespaces: ['status.phase', 'name'],
  nodes: ['spec.unschedulable'],
  'replicasets.apps': ['status.replicas'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
};

/**
 * The requirements of `metadata.name=x,status.phase!=Running`; `\,` and `\=` stand for themselves.
 * @throws StatusError 400 for a field that the resource cannot be selected by
 */
export function parseFieldSelector(text: string, resource: string): FieldRequirement[] {
  const parts = text.split(/(?<!\\),/).filter((part) => part !== '');
  return parts.map((part) => {
    const match = /^((?:[^=!\\]|\\.)+?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const path = match[1] ?? '';
    if (!everyKind.includes(path) && !(selectable[resource] ?? []).includes(path)) {
      throw badRequest(unknownField(path, resource));
    }
    return { path, equal: match[2] !== '!=', value: (match[3] ?? '').replace(/\\(.)/g, '$1') };
  });
}

function unknownField(path: string, resource: string): string {
  if (Object.hasOwn(selectable, resource)) return `field label not supported: ${path}`;
  return `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** Whether an object meets every requirement; a missing field counts as empty. */
export function fieldsMatch(requirements: readonly FieldRequirement[], object: ApiObject): boolean {
  return requirements.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

function fieldText(object: ApiObject, path: string): string {
  const keys = path === 'name' ? ['metadata', 'name'] : path.split('.');
  let current: unknown = object;
  for (const key of keys) current = isFields(current) ? current[key] : undefined;
  if (current === undefined || current === null) return path === 'spec.unschedulable' ? 'false' : '';
  if (isFields(current)) return textAt(current, 'component'); // events: source
  return String(current);
}
