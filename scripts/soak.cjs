'use strict';

require('./load-typescript.cjs');

/** @type {typeof import('../test/soak/main')} */
const { main } = Reflect.apply(require, undefined, ['../test/soak/main.ts']);

main(process.argv.slice(2), (text) => process.stdout.write(text)).then(
  // At once when all of it is printed: a socket that was reset in an unlucky moment is one that Node waits for in vain.
  (status) => process.stdout.write('', () => process.exit(status)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
