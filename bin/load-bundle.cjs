// Loads dist/bin/meshroot.cjs with the bytecode that the build left beside it (docs/decisions/0004-agent-start.md).
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname, resolve } = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');

/** Where the bytecode of this source for this Node is: the last line of the bundle is its id. */
const cacheOf = (file, source) =>
  `${file}.${source.slice(source.lastIndexOf('=') + 1).trim()}-${process.version}-${process.arch}.cache`;

/** Runs the bundle's source as `require` would. Bytecode that this Node cannot use is refused by V8, and only costs time. */
function run(file, source, cachedData) {
  const script = new vm.Script(Module.wrap(source), { filename: file, cachedData });
  const bundle = new Module(file, module);
  bundle.filename = file;
  require.cache[file] = bundle; // what lies beside the bundle takes its classes from there
  const own = Module.createRequire(file);
  // Bytecode knows no import(), which is also slower than require for what lies beside the bundle.
  own.later = async (path) =>
    path.endsWith('.cjs') ? own(path) : import(pathToFileURL(resolve(dirname(file), path)).href);
  script.runInThisContext()(bundle.exports, own, bundle, file, dirname(file));
  bundle.loaded = true;
  return { exports: bundle.exports, script };
}

/** @returns the exports of the bundle, and whether bytecode was used */
function loadBundle(file) {
  const source = readFileSync(file, 'utf8');
  let cachedData;
  try {
    cachedData = readFileSync(cacheOf(file, source));
  } catch {
    // Beside the code and so its owner's: a cache in /tmp would let a neighbour plant code. Absent before Node 22.1.
    Module.enableCompileCache?.(resolve(dirname(file), '.cache'));
    return { exports: require(file), fromCache: false };
  }
  const { exports, script } = run(file, source, cachedData);
  return { exports, fromCache: script.cachedDataRejected === false };
}

module.exports = { cacheOf, loadBundle, run };
