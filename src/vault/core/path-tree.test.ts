import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PathTree } from './path-tree.ts';

const path = fc.array(fc.constantFrom('a', 'b', '', 'c'), { minLength: 1, maxLength: 4 });

test('the tree finds below a folder what a look at every path finds', () => {
  const steps = fc.array(fc.record({ isAdded: fc.boolean(), path: path.map((names) => names.join('/')) }));
  fc.assert(
    fc.property(steps, path, (changes, folderNames) => {
      const [tree, all] = [new PathTree(), new Set<string>()];
      for (const step of changes) {
        if (step.isAdded) tree.add(step.path);
        else tree.delete(step.path);
        if (step.isAdded) all.add(step.path);
        else all.delete(step.path);
      }
      for (const folder of ['', `${folderNames.join('/')}/`]) {
        expect([...tree.below(folder)].sort()).toEqual(
          [...all].filter((one) => one.startsWith(folder)).sort(),
        );
      }
    }),
    { numRuns: 200 },
  );
});
