'use strict';

/** Unit tests load the sources through SWC; integration tests start what `npm run build` put into dist/. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // For what hangs. A machine with much else to do takes many times as long as one that has not.
  testTimeout: 120_000,
  // As many as there are processors, not one less: integration tests mostly wait for the processes that they have started.
  maxWorkers: '100%',
  // A worker keeps what its tests leave behind, and collects garbage among it all the time; the next one begins with none of it.
  workerIdleMemoryLimit: '640MB',
};
