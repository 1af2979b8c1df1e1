const literals = ['true', 'false', 'null'];

/** What Go's encoding/json says about a text that is not JSON (binary string). */
export function jsonSyntaxError(json: string): string {
  const scanner = new Scanner(json);
  scanner.value();
  scanner.space();
  if (scanner.error === '' && scanner.at < json.length) scanner.fail('after top-level value');
  return scanner.error === '' ? 'unexpected end of JSON input' : scanner.error;
}

class Scanner {
  readonly #json: string;
  at = 0;
  error = '';

  constructor(json: string) {
    this.#json = json;
  }

  /** Notes the first complaint; false, so that a reader can end with it. */
  fail(context: string): false {
    if (this.error !== '') return false;
    const c = this.#json[this.at];
    if (c === undefined) this.error = 'unexpected end of JSON input';
    else this.error = `invalid character ${c === "'" ? "'\\''" : c === '"' ? "'\"'" : `'${c}'`} ${context}`;
    return false;
  }

  space(): void {
    while (' \t\r\n'.includes(this.#json[this.at] ?? 'x')) this.at++;
  }

  value(): boolean {
    this.space();
    const c = this.#json[this.at];
    if (c === '{') return this.#members();
    if (c === '[') return this.#elements();
    if (c === '"') return this.#string();
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.at;
    const match = number.exec(this.#json);
    if (match !== null) {
      this.at += match[0].length;
      return true;
    }
    const literal = literals.find((l) => l[0] === c);
    if (literal === undefined)
      return this.fail(c === '-' ? 'in numeric literal' : 'looking for beginning of value');
    return this.#literal(literal);
  }

  #literal(literal: string): boolean {
    for (const expected of literal) {
      if (this.#json[this.at] !== expected)
        return this.fail(`in literal ${literal} (expecting '${expected}')`);
      this.at++;
    }
    return true;
  }

  #string(): boolean {
    for (this.at++; this.#json[this.at] !== '"'; this.at++) {
      const c = this.#json[this.at];
      if (c === undefined || c < ' ') return this.fail('in string literal');
      if (c !== '\\') continue;
      this.at++;
      if (!/["\\/bfnrtu]/.test(this.#json[this.at] ?? '')) return this.fail('in string escape code');
    }
    this.at++;
    return true;
  }

  #members(): boolean {
    this.at++;
    this.space();
    if (this.#json[this.at] === '}') return ++this.at > 0;
    for (;;) {
      this.space();
      if (this.#json[this.at] !== '"') return this.fail('looking for beginning of object key string');
      this.#string();
      this.space();
      if (this.error !== '' || this.#json[this.at] !== ':') return this.fail('after object key');
      this.at++;
      this.value();
      this.space();
      if (this.error !== '') return false;
      const c = this.#json[this.at];
      if (c !== ',' && c !== '}') return this.fail('after object key:value pair');
      this.at++;
      if (c === '}') return true;
    }
  }

  #elements(): boolean {
    this.at++;
    this.space();
    if (this.#json[this.at] === ']') return ++this.at > 0;
    for (;;) {
      this.value();
      this.space();
      if (this.error !== '') return false;
      const c = this.#json[this.at];
      if (c !== ',' && c !== ']') return this.fail('after array element');
      this.at++;
      if (c === ']') return true;
    }
  }
}
