type Node = Map<string, Node | undefined>;

/** A set of paths as a tree of their segments: what is below a folder is found without looking at the rest. */
export class PathTree {
  readonly #root: Node = new Map();

  add(path: string): void {
    let [node, from] = [this.#root, 0];
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', from)) {
      const name = path.slice(from, slash + 1);
      let next = node.get(name);
      if (next === undefined) {
        next = new Map();
        node.set(name, next);
      }
      [node, from] = [next, slash + 1];
    }
    node.set(path.slice(from), undefined);
  }

  delete(path: string): void {
    remove(this.#root, path, 0);
  }

  /** Every path below `folder` (empty or ending in a slash), in no order. */
  *below(folder: string): Iterable<string> {
    let node: Node | undefined = this.#root;
    for (const name of foldersOf(folder)) node = node?.get(name);
    if (node !== undefined) yield* walk(node, folder);
  }
}

function* walk(node: Node, path: string): Iterable<string> {
  for (const [name, child] of node) {
    if (child === undefined) yield path + name;
    else yield* walk(child, path + name);
  }
}

/** Folders keep their slash, so that `a` and `a/b` may both be there. One that has become empty goes, too. */
function remove(node: Node, path: string, from: number): void {
  const slash = path.indexOf('/', from);
  if (slash === -1) {
    node.delete(path.slice(from));
    return;
  }
  const name = path.slice(from, slash + 1);
  const next = node.get(name);
  if (next === undefined) return;
  remove(next, path, slash + 1);
  if (next.size === 0) node.delete(name);
}

const foldersOf = (folder: string): string[] =>
  folder
    .split('/')
    .slice(0, -1)
    .map((name) => `${name}/`);
