type Kind = 'number' | 'upper' | 'lower' | 'connector' | 'punctuation' | 'other';

interface Word {
  readonly kind: Kind;
  readonly text: string;
}

const patterns: readonly (readonly [Kind, RegExp])[] = [
  ['connector', /[-_\s]+/uy],
  ['punctuation', /\p{P}+/uy],
  // `HTTPStatus` is HTTP and Status: the last capital belongs to the small letters that follow.
  ['upper', /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}{2,}|\p{Lu}\p{Ll}*/uy],
  ['lower', /\p{Ll}+/uy],
  ['number', /\p{N}+/uy],
  ['other', /[^-_\s\p{P}\p{Lu}\p{Ll}\p{N}]+/uy],
];

function wordsOf(text: string): Word[] {
  const out: Word[] = [];
  for (let at = 0; at < text.length; ) {
    const before = at;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match === null) continue;
      out.push({ kind, text: match[0] });
      at += match[0].length;
      break;
    }
    if (at === before) at++; // half a surrogate pair
  }
  return out;
}

const isBreak = (word: Word | undefined): boolean =>
  word === undefined || word.kind === 'connector' || word.kind === 'punctuation';

/**
 * `HTTPStatus2xx` as `http_status_2xx`. A number sticks to the word before it, unless small letters follow the number.
 * @param connector one character
 */
export function connected(text: string, connector: string): string {
  const words = wordsOf(text);
  const shown = (word: Word): string =>
    word.kind === 'connector' ? connector.repeat([...word.text].length) : word.text.toLowerCase();
  let out = '';
  for (let i = 0; i < words.length; ) {
    const word = words[i++] as Word;
    out += shown(word);
    if (i === words.length || isBreak(word)) continue;
    const number = words[i];
    const beginsWithNumber = word.kind === 'number';
    if (!beginsWithNumber && number?.kind === 'number') {
      if (i + 1 === words.length) continue;
      i++;
      const small = words[i]?.kind === 'lower';
      out += (small ? connector : '') + shown(number);
      if (!small) {
        if (!isBreak(words[i])) out += connector;
        continue;
      }
    } else if (!beginsWithNumber) {
      if (!isBreak(number)) out += connector;
      continue;
    }
    for (; words[i]?.kind === 'lower' || words[i]?.kind === 'number'; i++) out += shown(words[i] as Word);
    if (!isBreak(words[i])) out += connector;
  }
  return out;
}

const isConnector = (c: string): boolean => /[-_\s]/u.test(c);
const isUpper = (c: string): boolean => /\p{Lu}/u.test(c);

/** `http_server` as `HttpServer`; connectors at the start, and all but one of several, stay. */
export function pascalCase(text: string): string {
  const lead = /^[-_\s]*/u.exec(text)?.[0] ?? '';
  const [first, ...rest] = [...text.slice(lead.length)];
  if (first === undefined) return lead + lead.slice(-1); // as upstream
  let out = lead;
  let last = first.toUpperCase();
  let afterCapital = isUpper(first);
  for (const rune of rest) {
    let next = rune;
    if (isConnector(rune) && isConnector(last)) out += last;
    else if (isConnector(last)) {
      afterCapital = isUpper(rune);
      next = rune.toUpperCase();
    } else {
      if (afterCapital && isUpper(rune)) next = rune.toLowerCase();
      else afterCapital = false;
      out += last;
    }
    last = next;
  }
  return out + last;
}
