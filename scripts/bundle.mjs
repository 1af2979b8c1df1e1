// Bundles the command line's entry and the commands that start in a hurry into one CommonJS file, dist/bin/meshroot.cjs,
// after tsc has written dist/. What few agents use lies beside it, a file each, and takes what it shares with the agent
// from there, so that a class exists once. The store is a file of its own that shares nothing (dist/bin/vault.cjs). All other
// commands stay ES modules, loaded from dist/ when they are called.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const inHurry = [`${dist}cli/agent-fast.js`];
const rare = [
  'template/sprig/sprig-functions',
  'template/functions/spew',
  'template/functions/sockaddr',
  'template/functions/plugin',
  'api/open-api',
  'last-good/last-good',
  'sets/on-change',
  'pki/istio-ca',
  'pki/pki-cert',
].map((name) => `${dist}agent/${name}.js`);
/** One file, as its start counts, too: loading some 300 modules takes much more CPU. */
const store = `${dist}cli/vault.js`;
const rareName = (file) => `rare-${basename(dirname(file))}-${basename(file, '.js')}`;

/** Keeps `import('./up.js')` of commands.js an import, with the path as seen from dist/bin, and so for the rare parts. */
const importedLater = {
  name: 'imported-later',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const file = resolve(resolveDir, path);
      if (kind !== 'dynamic-import' || inHurry.includes(file)) return undefined;
      if (rare.includes(file)) return { path: `./${rareName(file)}.cjs`, external: true };
      if (file === store) return { path: './vault.cjs', external: true };
      return file.startsWith(`${dist}cli/`)
        ? { path: `../${relative(dist, file)}`, external: true }
        : undefined;
    });
  },
};

/** Takes modules of the main bundle from there; notes which. */
const fromMain = (inMain, taken) => ({
  name: 'from-main',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const file = resolve(resolveDir, path);
      return inMain.has(file) && !rare.includes(file) ? { path: file, namespace: 'main' } : undefined;
    });
    onResolve({ filter: /^\.\/meshroot\.cjs$/, namespace: 'main' }, ({ path }) => ({ path, external: true }));
    onLoad({ filter: /./, namespace: 'main' }, ({ path }) => {
      const name = relative(dist, path);
      taken.add(name);
      return { contents: `module.exports = require('./meshroot.cjs').shared[${JSON.stringify(name)}]();` };
    });
  },
});

/** Modules of Node that most starts never touch: loaded when one of their members is. */
const lazyModules = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(child_process|os|https|tls)$/ }, ({ path, namespace }) =>
      namespace === 'lazy' ? { path, external: true } : { path, namespace: 'lazy' },
    );
    onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => {
      const members = Object.keys(createRequire(import.meta.url)(path));
      const getters = members.map(
        (member) => `get ${member}() { return require(${JSON.stringify(path)}).${member}; }`,
      );
      return { contents: `module.exports = { ${getters.join(',')} };` };
    });
  },
};

const options = {
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  minify: true,
  sourcemap: true,
  legalComments: 'none',
  metafile: true,
  banner: {
    js: 'const $import=require.later??(async(path)=>path.endsWith(".cjs")?require(path):import(path));const bundleUrl=require("node:url").pathToFileURL(__filename).href;',
  },
  define: { 'import.meta.url': 'bundleUrl' },
  absWorkingDir: dist,
};

/** @param shared modules that the rare parts take from this file */
function buildMain(shared, write) {
  const getters = shared.map((name) => `${JSON.stringify(name)}: () => require('./${name}')`);
  return build({
    ...options,
    stdin: {
      contents: `export { main } from './cli/main.js';\nexport const shared = { ${getters.join(', ')} };`,
      resolveDir: dist,
    },
    outfile: `${dist}bin/meshroot.cjs`,
    plugins: [importedLater, lazyModules],
    write,
  });
}

const { metafile } = await buildMain([], false);
const inMain = new Set(Object.keys(metafile.inputs).map((path) => resolve(dist, path)));
const taken = new Set();
await build({
  ...options,
  entryPoints: Object.fromEntries(rare.map((file) => [rareName(file), file])),
  outdir: `${dist}bin`,
  outExtension: { '.js': '.cjs' },
  plugins: [fromMain(inMain, taken)],
});
await buildMain([...taken].sort(), true);
await build({ ...options, entryPoints: [store], outfile: `${dist}bin/vault.cjs` });

/** Bytecode knows no import(): the loader has one. The id tells whose bytecode is whose. */
const file = `${dist}bin/meshroot.cjs`;
const code = readFileSync(file, 'utf8').replaceAll(/\bimport\((?=")/g, '$import(');
const id = createHash('sha256').update(code).digest('hex').slice(0, 16);
writeFileSync(file, `${code}//# bundle=${id}\n`);
for (const name of readdirSync(`${dist}bin`))
  if (name.endsWith('.cache')) rmSync(`${dist}bin/${name}`, { recursive: true });
try {
  const maker = fileURLToPath(new URL('bundle-cache.mjs', import.meta.url));
  execFileSync(process.execPath, [maker], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
} catch (error) {
  process.stderr.write(`no bytecode beside the bundle, it starts a little slower: ${error.message}\n`);
}
