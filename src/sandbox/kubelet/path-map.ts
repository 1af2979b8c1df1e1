/** A path inside the container and the host path that stands for it. */
export interface PathMapping {
  readonly inside: string;
  readonly host: string;
}

/** Characters that can be part of a file name: a mounted path next to one of them is another path. */
const nameCharacter = '[\\w.~%+@-]';

/**
 * Rewrites every mention of a mounted path in texts that a container is given. The longest path wins, only whole path
 * segments count (`/vault/secrets` is neither in `/vault/secrets-2` nor in `https://host/vault/secrets`), and what was
 * rewritten is not looked at again.
 */
export class PathMap {
  readonly #hosts: ReadonlyMap<string, string>;
  readonly #pattern: RegExp | undefined;

  constructor(mappings: readonly PathMapping[]) {
    const usable = mappings.map(({ inside, host }) => ({ inside: normal(inside), host }));
    // Of two mappings of one path the first wins.
    this.#hosts = new Map(
      usable
        .filter(({ inside }) => inside.length > 1)
        .reverse()
        .map((m) => [m.inside, m.host]),
    );
    const alternatives = [...this.#hosts.keys()].sort((a, b) => b.length - a.length).map(escapeRegExp);
    this.#pattern =
      alternatives.length === 0
        ? undefined
        : new RegExp(
            `(?<=file://|(?<!${nameCharacter}|/))(?:${alternatives.join('|')})(?!${nameCharacter})`,
            'g',
          );
  }

  /** `text` with every mounted path replaced by its host path. */
  text(text: string): string {
    if (this.#pattern === undefined) return text;
    return text.replace(this.#pattern, (inside) => this.#hosts.get(inside) ?? inside);
  }

  /** The same inside base64; returned as it was when it is not base64 of text or mentions no mounted path. */
  base64(encoded: string): string {
    const decoded = Buffer.from(encoded, 'base64');
    const text = decoded.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(decoded)) return encoded;
    const mapped = this.text(text);
    return mapped === text ? encoded : Buffer.from(mapped, 'utf8').toString('base64');
  }

  /** Host path of one path of the container, or undefined when it lies under no mapping. */
  path(inside: string): string | undefined {
    let prefix = normal(inside);
    for (let rest = ''; prefix.length > 1; ) {
      const host = this.#hosts.get(prefix);
      if (host !== undefined) return `${host}${rest}`;
      const cut = prefix.lastIndexOf('/');
      rest = `${prefix.slice(cut)}${rest}`;
      prefix = prefix.slice(0, cut);
    }
    return undefined;
  }
}

function normal(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
