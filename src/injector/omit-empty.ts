/** The members that are not empty as Go's `omitempty` sees it: undefined, null, "", 0, false and empty lists go. */
export function omitEmpty(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) if (!isEmpty(value)) kept[name] = value;
  return kept;
}

function isEmpty(value: unknown): boolean {
  return !value || (Array.isArray(value) && value.length === 0);
}
