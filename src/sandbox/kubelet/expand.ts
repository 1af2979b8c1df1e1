/**
 * Kubernetes' `$(NAME)` in commands, arguments and values: known names are replaced, unknown ones stay, `$$` is `$`.
 * Source: third_party/forked/golang/expansion/expand.go
 */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) =>
    name === undefined ? '$' : (values.get(name) ?? whole),
  );
}
