'use strict';

/*
 * One gossiping node as a process of its own: node gossip-process.cjs '{"name", "nodeId", "bindAddr", "joinAddrs", "key"}'.
 * Prints a JSON line when it is bound and after every change: {"gossipAddr", "states": {name: state}}. SIGTERM stops it.
 * It compiles the sources as it loads them, so that no build has to come before the test.
 */
const { performance } = require('node:perf_hooks');
const { transformFileSync } = require('@swc/core');

/**
 * @param {NodeJS.Module & { _compile(code: string, path: string): void }} module
 * @param {string} path
 */
function compile(module, path) {
  const { code } = transformFileSync(path, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, path);
}

Reflect.set(require.extensions, '.ts', compile);

const { Gossip } = require('../../src/discovery/gossip');
const { Keyring } = require('../../src/discovery/keyring');

const nothing = () => undefined;

/** @param {{ name: string, nodeId: string, bindAddr: string, joinAddrs: string[], key: string }} given */
async function run({ name, nodeId, bindAddr, joinAddrs, key }) {
  const gossip = await Gossip.start({
    bindAddr,
    joinAddrs,
    keyring: Keyring.parse(key),
    tags: {
      clusterId: 'c1'.repeat(16),
      nodeId,
      name,
      rpcAddr: '127.0.0.1:8300',
      role: 'member',
      nonVoter: false,
      formatVersion: 1,
    },
    clock: { wallMicros: () => Date.now() * 1_000, monotonicMillis: () => performance.now() },
    random: { next: () => Math.random() },
    log: { debug: nothing, info: nothing, warn: nothing },
  });
  const report = () => {
    const states = Object.fromEntries(gossip.members().map((member) => [member.tags.name, member.state]));
    process.stdout.write(`${JSON.stringify({ gossipAddr: gossip.gossipAddr, states })}\n`);
  };
  gossip.on('change', report);
  report();
  process.on('SIGTERM', () => void gossip.stop().then(() => process.exit(0)));
  // Whoever started this process is gone: so is its reason to run.
  process.stdin.on('end', () => process.exit(0)).resume();
}

void run(JSON.parse(process.argv[2] ?? ''));
