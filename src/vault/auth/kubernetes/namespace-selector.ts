import { refuse } from '../../core/refusal.ts';

/** The labels that a namespace must have. */
export type MatchLabels = Readonly<Record<string, string>>;

const wrong = (): Error => refuse('invalid "bound_service_account_namespace_selector" configured');

/**
 * A Kubernetes LabelSelector in JSON or YAML; only `matchLabels` is known here, as in upstream.
 * @throws Refusal 400
 */
export async function parseNamespaceSelector(text: string): Promise<MatchLabels> {
  const value = await parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong();
  const { matchLabels = {}, ...others } = value as Record<string, unknown>;
  if (Object.keys(others).length > 0 || typeof matchLabels !== 'object' || matchLabels === null)
    throw wrong();
  if (!Object.values(matchLabels).every((label) => typeof label === 'string')) throw wrong();
  return matchLabels as MatchLabels;
}

async function parse(text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch {
    const { parse: parseYaml } = await import('yaml'); // rarely needed, so loaded only then
    try {
      return parseYaml(text, { logLevel: 'silent' });
    } catch {
      throw wrong();
    }
  }
}

/** An empty selector fits every namespace. */
export function labelsMatch(wanted: MatchLabels, labels: unknown): boolean {
  const has = typeof labels === 'object' && labels !== null ? (labels as Record<string, unknown>) : {};
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(has, key) && has[key] === value);
}
