'use strict';

/** Loads test/ledger/long-history as it is: each source is compiled when it is needed, as jest does it for the tests. */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { transformSync } = require('@swc/core');

/** @type {Record<string, (module: { _compile(code: string, path: string): void }, path: string) => void>} */
const loaders = Reflect.get(Module, '_extensions');
loaders['.ts'] = (module, path) => {
  const { code } = transformSync(readFileSync(path, 'utf8'), {
    filename: path,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, path);
};

process.setSourceMapsEnabled(true);
/** @type {typeof import('../test/ledger/long-history/main')} */
const { main } = Reflect.apply(require, undefined, ['../test/ledger/long-history/main.ts']);

main(process.argv.slice(2), (text) => process.stdout.write(text)).then((status) => {
  process.exitCode = status;
});
