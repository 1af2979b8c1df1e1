export const capabilityNames = [
  'create',
  'read',
  'update',
  'patch',
  'delete',
  'list',
  'sudo',
  'deny',
  'scan',
] as const;
export type Capability = (typeof capabilityNames)[number];

/** What one `path` stanza says. */
export interface PathRule {
  /** Without leading slash; may end in `*`, may have `+` segments. */
  readonly path: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** By lower-case parameter name; an empty list allows every value. */
  readonly allowed?: ParameterRules;
  readonly denied?: ParameterRules;
  readonly required?: readonly string[];
  /** Seconds. */
  readonly minWrappingTtl?: number;
  readonly maxWrappingTtl?: number;
  /** The most names that a list may give at once. */
  readonly paginationLimit?: number;
  /** Milliseconds: from then on the stanza says nothing. */
  readonly expires?: number;
}

export type ParameterRules = Readonly<Record<string, readonly unknown[]>>;

export interface Policy {
  readonly name: string;
  readonly rules: readonly PathRule[];
  /** Milliseconds: from then on there is no such policy. */
  readonly expires?: number | undefined;
}

/** `Root `, `a,b`, duplicates: as Vault keeps policy names. `root` swallows all others. */
export function sanitizePolicies(names: readonly string[], addDefault: boolean): string[] {
  const clean = new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== ''));
  if (clean.has('root')) return ['root'];
  if (addDefault) clean.add('default');
  return [...clean].sort();
}
