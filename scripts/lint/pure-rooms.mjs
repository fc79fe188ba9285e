/**
 * The rules of the pure rooms (src/raft/core, and src/ledger without its projection): same input, same output, on every
 * node and on every replay. So nothing in them may see the clock, chance, the process or a device.
 */

const PURE = 'A pure room takes no input but its arguments: let the caller pass this in.';

const FORBIDDEN_GLOBALS = [
  'Date',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'performance',
  'process',
  'queueMicrotask',
  'require',
  'setImmediate',
  'setInterval',
  'setTimeout',
];

const FORBIDDEN_MODULES = [
  'async_hooks',
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'fs/promises',
  'http',
  'http2',
  'https',
  'inspector',
  'module',
  'net',
  'os',
  'perf_hooks',
  'process',
  'readline',
  'repl',
  'stream',
  'timers',
  'timers/promises',
  'tls',
  'tty',
  'v8',
  'vm',
  'worker_threads',
];

const RANDOM_FROM_CRYPTO = [
  'generateKeyPairSync',
  'generateKeySync',
  'getRandomValues',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'webcrypto',
];

/** @type {import('eslint').Linter.RulesRecord} */
export const pureRoomRules = {
  'no-restricted-globals': ['error', ...FORBIDDEN_GLOBALS.map((name) => ({ name, message: PURE }))],
  'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: PURE }],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...FORBIDDEN_MODULES.flatMap((name) => [
          { name, message: PURE },
          { name: `node:${name}`, message: PURE },
        ]),
        ...['crypto', 'node:crypto'].map((name) => ({ name, importNames: RANDOM_FROM_CRYPTO, message: PURE })),
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: 'ImportExpression', message: PURE },
    { selector: 'AwaitExpression', message: 'A pure room computes and returns; what waits belongs to its caller.' },
  ],
};
