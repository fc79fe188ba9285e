'use strict';

/**
 * The arrows between the rooms of src/: cli → offline → node → api, discovery, partitions → raft → log.
 * src/ledger (without its projection) and src/raft/core do no I/O. src/client is the clients' and stands apart.
 * src/proto loads the published protos for whoever needs them.
 */

const PURE = '^src/(raft/core|ledger/(?!projection/))';
const IO_MODULES = [
  'async_hooks',
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'os',
  'perf_hooks',
  'process',
  'readline',
  'timers',
  'tls',
  'tty',
  'vm',
  'worker_threads',
].join('|');

/** The rooms that each room may not import. What is missing here is allowed. */
const FORBIDDEN_ROOMS = {
  proof: ['raft', 'discovery', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  proto: ['log', 'raft', 'ledger', 'discovery', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  log: ['raft', 'ledger', 'discovery', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli', 'proto'],
  raft: ['ledger', 'discovery', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  ledger: ['raft', 'discovery', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  discovery: ['log', 'raft', 'ledger', 'partitions', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  partitions: ['discovery', 'api', 'node', 'client', 'bench', 'offline', 'cli'],
  api: ['log', 'discovery', 'node', 'client', 'bench', 'offline', 'cli'],
  client: ['log', 'raft', 'discovery', 'partitions', 'api', 'node', 'offline', 'bench', 'cli'],
  node: ['client', 'bench', 'offline', 'cli'],
  bench: ['raft', 'discovery', 'partitions', 'api', 'node', 'offline', 'cli'],
  offline: ['discovery', 'api', 'client', 'bench', 'cli'],
};

/** What one room may take of another although the table above says no: formats, which are pure and hold no state. */
const EXCEPTIONS = {
  // What a producer sends becomes a chunk at the door and is not encoded again on its way to the disks.
  api: ['^src/log/(batch|chunk|record)[^/]*$'],
};

const roomRules = Object.entries(FORBIDDEN_ROOMS).map(([room, forbidden]) => ({
  name: `arrows-of-${room}`,
  comment: `src/${room} may not import ${forbidden.join(', ')}: see the arrows at the head of this file.`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(${forbidden.join('|')})/`, ...(EXCEPTIONS[room] ? { pathNot: EXCEPTIONS[room] } : {}) },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'pure-rooms-do-no-io',
      comment: 'src/raft/core and src/ledger decide from their arguments alone; nothing on their way out may do I/O.',
      severity: 'error',
      from: { path: PURE },
      to: { path: `^(node:)?(${IO_MODULES})(/|$)`, reachable: true },
    },
    {
      name: 'raft-core-stands-alone',
      comment: 'The consensus core defines its interfaces itself; even its surroundings in src/raft are out of reach.',
      severity: 'error',
      from: { path: '^src/raft/core/' },
      to: { path: '^src/', pathNot: '^src/raft/core/' },
    },
    {
      name: 'pure-ledger-knows-no-projection',
      comment: 'The projection follows the ledger; the ledger does not know that it exists.',
      severity: 'error',
      from: { path: '^src/ledger/(?!projection/)' },
      to: { path: '^src/ledger/projection/' },
    },
    {
      name: 'client-takes-only-pure-ledger-code',
      comment: 'A client may share the codecs of ids, amounts, names and rows with the ledger, never its state.',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/ledger/(state|projection|accounts|transfers|snapshot)' },
    },
    {
      name: 'no-circles',
      comment: 'Two modules that need each other are one module, or one of them needs an interface.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nothing imports and that imports nothing is dead.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['[.]d[.]ts$'] },
      to: {},
    },
    {
      name: 'only-what-is-installed',
      comment: 'An import that does not resolve, or a package that package.json does not name, fails at a user.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-development-dependencies',
      comment: 'What the product runs on has to be in `dependencies`.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: ['node_modules/@types/'] },
    },
    {
      name: 'product-knows-no-tests',
      comment: 'src/ is what is shipped.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|examples)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
    cache: false,
  },
};
