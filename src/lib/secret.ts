import { inspect } from 'node:util';

/**
 * A value that must not be printed: every way of turning it into text gives `(hidden)`.
 * `reveal()` is the only way to the value, so that each use can be found by its name.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '(hidden)';
  }

  toJSON(): string {
    return '(hidden)';
  }

  [inspect.custom](): string {
    return '(hidden)';
  }
}
