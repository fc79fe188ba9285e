'use strict';

/** `./scripts/bench ids`: what ids on the disk cost. See docs/internals/ids.md. */
require('./load-typescript.cjs');

/** @type {typeof import('../test/node/ids/id-bench-main')} */
const { main } = Reflect.apply(require, undefined, ['../test/node/ids/id-bench-main.ts']);
main(process.argv.slice(2), (text) => process.stdout.write(text)).then(
  (status) => process.exit(status),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
