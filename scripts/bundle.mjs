// Bundles the command line's entry and the commands that start in a hurry into one CommonJS file, dist/bin/meshroot.cjs,
// after tsc has written dist/. All other commands stay ES modules, loaded from dist/ when they are called.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const inHurry = ['./agent-fast.js'];

/** Keeps `import('./up.js')` of commands.js an import, with the path as seen from dist/bin. */
const otherCommands = {
  name: 'other-commands',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ kind, path, importer }) => {
      if (kind !== 'dynamic-import' || inHurry.includes(path)) return undefined;
      return relative(dist, importer).startsWith('cli/')
        ? { path: `../cli/${path.slice(2)}`, external: true }
        : undefined;
    });
  },
};

await build({
  entryPoints: [`${dist}cli/main.js`],
  outfile: `${dist}bin/meshroot.cjs`,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  minify: true,
  sourcemap: true,
  legalComments: 'none',
  banner: { js: 'const bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  define: { 'import.meta.url': 'bundleUrl' },
  plugins: [otherCommands],
});
