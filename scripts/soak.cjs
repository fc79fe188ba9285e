'use strict';

require('./load-typescript.cjs');

/** @type {typeof import('../test/soak/main')} */
const { main } = Reflect.apply(require, undefined, ['../test/soak/main.ts']);

main(process.argv.slice(2), (text) => process.stdout.write(text)).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
