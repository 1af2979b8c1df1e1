import fc from 'fast-check';

/** What is asked of a store about policies. */
export type PolicyCase =
  | { readonly kind: 'parse'; readonly text: string }
  | { readonly kind: 'capabilities'; readonly policies: readonly string[]; readonly paths: readonly string[] }
  | { readonly kind: 'request'; readonly policy: string; readonly requests: readonly PolicyRequest[] };

export interface PolicyRequest {
  readonly method: 'GET' | 'PUT' | 'LIST' | 'DELETE';
  /** Below the mount of the case. */
  readonly path: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Seconds. */
  readonly wrapTtl?: number;
}

const seed = 20_260_701;
const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed });

const capability = fc.constantFrom('create', 'read', 'update', 'patch', 'delete', 'list', 'sudo', 'deny');
const capabilities = fc.uniqueArray(capability, { maxLength: 4 });
const segment = fc.constantFrom('a', 'b', 'ab', '+', '+', '+', '+b');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '', '*', '/*', '/'))
  .map(([parts, end]) => (end === '*' && parts.at(-1) === '+' ? parts.join('/') : parts.join('/') + end));
const rule = fc
  .tuple(pattern, capabilities)
  .map(([path, list]) => `path ${JSON.stringify(path)} { capabilities = ${JSON.stringify(list)} }`);
const path = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'ab', 'abc', '+b'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([parts, slash]) => parts.join('/') + (slash ? '/' : ''));

const capabilityCases: PolicyCase[] = sample(
  fc.record({
    kind: fc.constant('capabilities' as const),
    policies: fc.array(
      fc.array(rule, { minLength: 1, maxLength: 4 }).map((rules) => rules.join('\n')),
      { minLength: 1, maxLength: 3 },
    ),
    paths: fc.uniqueArray(path, { minLength: 6, maxLength: 6 }),
  }),
  200,
);

const written = [
  '',
  'path "a" {}',
  'path "a" { capabilities = [] }',
  'path "/a" { capabilities = ["read"] }',
  'path "a" { capabilities = ["zap"] }',
  'path "a" { capabilities = ["READ"] }',
  'path "a" { capabilities = "read" }',
  'path "a" { capabilities = 1 }',
  'path "a" { policy = "read" }',
  'path "a" { policy = "nonsense" }',
  'path "a" { policy = "deny" capabilities = ["read"] }',
  'path "a/+*" { capabilities = ["read"] }',
  'path "a*b" { capabilities = ["read"] }',
  'path "a+b" { capabilities = ["read"] }',
  'path "" { capabilities = ["read"] }',
  'path "*" { capabilities = ["read"] }',
  'path "+" { capabilities = ["read"] }',
  'path { capabilities = ["read"] }',
  'path "a" "b" { capabilities = ["read"] }',
  'path a { capabilities = ["read"] }',
  'path "a" { capabilities = ["read"], }',
  'path "a" { capabilities = ["read",] }',
  'path "a" { capabilities = ["read" "list"] }',
  'path "a" = { capabilities = ["read"] }',
  'name = "x"\npath "a" { capabilities = ["read"] }',
  'name = 1',
  'foo = "x"',
  'path "a" { foo = "x" }',
  'path "a" { capabilities = ["read"] ',
  'path "a" capabilities = ["read"] }',
  'path "a" { capabilities = ["read"] } }',
  '{"path":{"a":{"capabilities":["read"]}}}',
  '{"path":{"a":{"capabilities":["zap"]}}}',
  '{"path":{"a":{"capabilities":["read"]},"b":{"policy":"write"}}}',
  '{"path":[{"a":{"capabilities":["read"]}}]}',
  '{"paths":{}}',
  '{"path":',
  '[]',
  '"x"',
  'path "a" { allowed_parameters = { "x" = [] } }',
  'path "a" { allowed_parameters = { "x" = ["1", 2, true] } }',
  'path "a" { allowed_parameters = { "x" = "1" } }',
  'path "a" { allowed_parameters = ["x"] }',
  'path "a" { denied_parameters = { "*" = [] } }',
  'path "a" { denied_parameters { "x" = [] } }',
  'path "a" { required_parameters = ["x"] }',
  'path "a" { required_parameters = "x" }',
  'path "a" { required_parameters = { x = 1 } }',
  'path "a" { min_wrapping_ttl = "1h" max_wrapping_ttl = "1m" }',
  'path "a" { min_wrapping_ttl = 10 max_wrapping_ttl = "1m" }',
  'path "a" { min_wrapping_ttl = "x" }',
  'path "a" { max_wrapping_ttl = "-1s" }',
  'path "a" { min_wrapping_ttl = "1d" }',
  'path "a" { comment = "why" }',
  'path "a" { expiration = "2100-01-01T00:00:00Z" }',
  'path "a" { expiration = "x" }',
  'path "a" { pagination_limit = 10 }',
  'path "a" { capabilities = ["read"] }\npath "a" { capabilities = ["list"] }',
  '# only a comment',
  '/* open',
  'path "secret/{{identity.entity.name}}/*" { capabilities = ["read"] }',
  'path "secret/{{identity.entity.name/*" { capabilities = ["read"] }',
  'path "secret/{{no.such.thing}}" { capabilities = ["read"] }',
  'path <<EOT\na\nEOT\n{ capabilities = ["read"] }',
  'path "a" { capabilities = [<<EOT\nread\nEOT\n] }',
  'path "a\\u0062" { capabilities = ["read"] }',
  'path "a\\x" { capabilities = ["read"] }',
  "path 'a' { capabilities = ['read'] }",
  'path "a" { capabilities = ["read"] } // end',
  'path "a" { capabilities = ["subscribe"] }',
  'path "a" { capabilities = ["scan"] }',
  'path "a" { capabilities = ["recover"] }',
  'path "a" { mfa_methods = ["x"] }',
  'path "a" { control_group = { factor "x" {} } }',
];

const word = fc.constantFrom(
  ...['path', '"a/*"', '"b"', '{', '}', 'capabilities', '=', '["read"]', 'policy', '"write"', '\n', '[', ']'],
  ...[',', '1', 'name', 'true', 'allowed_parameters', '{ "x" = [] }', '# c\n', '"', '.5', '-3', `"\${a}"`],
);
const wordCases = sample(fc.array(word, { minLength: 2, maxLength: 9 }), 150).map((words) => words.join(' '));

/** Broken a little: one character of a good policy taken out or doubled. */
const good =
  'path "a/*" {\n  capabilities = ["read", "list"] # why\n  allowed_parameters = { "x" = ["1", "y*"] }\n}\n';
const brokenCases = sample(fc.tuple(fc.nat(good.length - 1), fc.boolean()), 100).map(([at, twice]) =>
  twice ? good.slice(0, at + 1) + good.slice(at) : good.slice(0, at) + good.slice(at + 1),
);

const parseCases = [...new Set([...written, ...wordCases, ...brokenCases])].map(
  (text): PolicyCase => ({ kind: 'parse', text }),
);

const parameter = fc.constantFrom('x', 'y', 'Z', '*');
const value = fc.constantFrom<unknown>('1', 'ab', 'a*', '*b', '', 1, true, ['1'], { a: 1 });
const wanted = fc.constantFrom<unknown>('1', 'ab', 'a*', '*b', '*a*', '', 1, true);
const parameters = fc.dictionary(parameter, fc.array(wanted, { maxLength: 2 }), { maxKeys: 2 });
const data = fc.dictionary(fc.constantFrom('x', 'X', 'y', 'z'), value, { maxKeys: 2 });
const request: fc.Arbitrary<PolicyRequest> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ method: fc.constant('PUT' as const), path: fc.constant('p'), data }) },
  fc.record({
    method: fc.constantFrom('GET' as const, 'LIST' as const, 'DELETE' as const),
    path: fc.constant('p'),
  }),
  fc.record({
    method: fc.constant('GET' as const),
    path: fc.constant('p'),
    wrapTtl: fc.constantFrom(5, 60, 600),
  }),
);
/** Bounds of wrapping apart from the rest: together they would refuse nearly everything. */
const constraints = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        allowed_parameters: parameters,
        denied_parameters: parameters,
        required_parameters: fc.uniqueArray(fc.constantFrom('x', 'y', 'Z'), { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: [] },
    ),
  },
  fc.record(
    { min_wrapping_ttl: fc.constantFrom(10, '1m'), max_wrapping_ttl: fc.constantFrom('2m', 3600) },
    { requiredKeys: [] },
  ),
);
const stanza = constraints.map((body) => {
  const lines = Object.entries(body).map(([key, one]) => `  ${key} = ${hcl(one)}\n`);
  return `path "MOUNT/p" {\n  capabilities = ["create", "update", "read", "list", "delete"]\n${lines.join('')}}\n`;
});
/** The same path twice now and then: what both say is merged. */
const block = fc
  .tuple(
    fc.array(stanza, { minLength: 1, maxLength: 2 }),
    fc.constant('path "MOUNT/" { capabilities = ["list"] }\n'),
  )
  .map(([stanzas, list]) => stanzas.join('') + list);

function hcl(one: unknown): string {
  if (typeof one !== 'object' || one === null || Array.isArray(one)) return JSON.stringify(one);
  return `{ ${Object.entries(one)
    .map(([key, inner]) => `${JSON.stringify(key)} = ${hcl(inner)}`)
    .join('\n')} }`;
}

const requestCases: PolicyCase[] = sample(
  fc.record({
    kind: fc.constant('request' as const),
    policy: block,
    requests: fc.array(request, { minLength: 4, maxLength: 4 }),
  }),
  240,
);

/** The same ones every time. `MOUNT` in a policy stands for the mount that the runner makes. */
export const policyCases: readonly PolicyCase[] = [...parseCases, ...capabilityCases, ...requestCases];
