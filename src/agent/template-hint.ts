/** What usually mends a template that could not be rendered, by the words of text/template; undefined for the rest. */
export function templateHint(reason: string): string | undefined {
  return hints.find(([words]) => words.test(reason))?.[1];
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /map has no entry for key|nil pointer evaluating interface/,
    'which keys does the secret have? they are at .Data.KEY in KV version 1, at .Data.data.KEY in version 2',
  ],
  [
    /it was stopped after|exceeded maximum template depth/,
    'a template has to end by itself: look at its loops, and for one that calls itself',
  ],
  [/: unexpected EOF/, 'an if, range, with, define or block of it has no {{ end }}'],
  [
    /unclosed action|unexpected "}"|unterminated/,
    'an action is not closed: every {{ needs its }}, and every quote its other one',
  ],
  [/function "[^"]*" not defined/, 'is it spelt right? functions of sprig start with sprig_'],
];
