'use strict';

/**
 * Loads test/simulator as it is: each source is compiled when it is needed, as jest does it for the tests. With `--mutate`
 * a bug of test/simulator/mutations is put into the text of the sources that it names; nothing else knows of it.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { parseArgs } = require('node:util');
const { transformSync } = require('@swc/core');

/** @type {(path: string, text: string) => string} */
let edit = (_path, text) => text;

/** @type {Record<string, (module: { _compile(code: string, path: string): void }, path: string) => void>} */
const loaders = Reflect.get(Module, '_extensions');
loaders['.ts'] = (module, path) => {
  const { code } = transformSync(edit(path, readFileSync(path, 'utf8')), {
    filename: path,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, path);
};

/** @param {string} path relative to this file */
function load(path) {
  return Reflect.apply(require, undefined, [path]);
}

process.setSourceMapsEnabled(true);
const argv = process.argv.slice(2);
const { mutate, prove, worker } = parseArgs({
  args: argv,
  strict: false,
  options: { mutate: { type: 'string' }, prove: { type: 'boolean' }, worker: { type: 'boolean' } },
}).values;

/** @param {string} name */
function putIn(name) {
  /** @type {typeof import('../test/simulator/mutations/all-mutations')} */
  const { mutationNamed } = load('../test/simulator/mutations/all-mutations.ts');
  /** @type {typeof import('../test/simulator/mutations/mutation')} */
  const { editorFor } = load('../test/simulator/mutations/mutation.ts');
  edit = editorFor(mutationNamed(name), resolve(module.path, '..'));
}

/** @returns {Promise<number>} the exit status */
async function run() {
  /** @param {string} text */
  const print = (text) => process.stdout.write(text);
  if (prove) {
    /** @type {typeof import('../test/simulator/mutations/prove')} */
    const { prove: proveAll } = load('../test/simulator/mutations/prove.ts');
    return proveAll(argv, module.filename, print);
  }
  if (typeof mutate === 'string') putIn(mutate);
  if (worker) {
    /** @type {typeof import('../test/simulator/seed-workers')} */
    const { serveSeeds } = load('../test/simulator/seed-workers.ts');
    return serveSeeds();
  }
  /** @type {typeof import('../test/simulator/main')} */
  const { main } = load('../test/simulator/main.ts');
  return main(argv, print, module.filename);
}

run().then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
