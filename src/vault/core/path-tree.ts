type Node = Map<string, Node | undefined>;

/** A set of paths as a tree of their segments: what is below a folder is found without looking at the rest. */
export class PathTree {
  readonly #root: Node = new Map();

  add(path: string): void {
    const { folders, leaf } = split(path);
    let node = this.#root;
    for (const name of folders) {
      const next: Node = node.get(name) ?? new Map();
      node.set(name, next);
      node = next;
    }
    node.set(leaf, undefined);
  }

  delete(path: string): void {
    const { folders, leaf } = split(path);
    const way: [Node, string][] = [];
    let node = this.#root;
    for (const name of folders) {
      const next = node.get(name);
      if (next === undefined) return;
      way.push([node, name]);
      node = next;
    }
    node.delete(leaf);
    for (const [parent, name] of way.reverse()) {
      if (parent.get(name)?.size === 0) parent.delete(name);
    }
  }

  /** Every path below `folder` (empty or ending in a slash), in no order. */
  *below(folder: string): Iterable<string> {
    let node: Node | undefined = this.#root;
    for (const name of split(folder).folders) node = node?.get(name);
    if (node !== undefined) yield* walk(node, folder);
  }
}

function* walk(node: Node, path: string): Iterable<string> {
  for (const [name, child] of node) {
    if (child === undefined) yield path + name;
    else yield* walk(child, path + name);
  }
}

/** Folders keep their slash, so that `a` and `a/b` may both be there. */
function split(path: string): { readonly folders: string[]; readonly leaf: string } {
  const slash = path.lastIndexOf('/');
  const folders = slash === -1 ? [] : path.slice(0, slash).split('/');
  return { folders: folders.map((name) => `${name}/`), leaf: path.slice(slash + 1) };
}
