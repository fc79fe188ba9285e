// The demonstration behind ./scripts/quickstart; everything in it goes through the same client that users have.
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const require = createRequire(import.meta.url);
const { NodeProcess } = require('../dist/bench/node-process.js');
const { freePorts } = require('../dist/bench/free-ports.js');
const { LedgerClient } = require('../dist/client/index.js');

const START_DEADLINE = 90_000;
const DATABASE_DEADLINE = 120_000;
const HOST = '127.0.0.1';

/** @typedef {import('../dist/bench/node-process.js').NodeProcess} Node */
/** @typedef {import('../dist/client/index.js').LedgerClient} Client */

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

function options() {
  try {
    return parseArgs({ options: { exit: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`quickstart: ${messageOf(error)}; usage: ./scripts/quickstart [--exit]`);
    process.exit(2);
  }
}

/** @param {number} port @returns {Promise<boolean>} */
function tcpIsFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function udpIsFree(port) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => socket.close(() => resolve(false)));
    socket.bind(port, HOST, () => socket.close(() => resolve(true)));
  });
}

/**
 * The ports that the documentation uses, where they are free; else any.
 * @param {number} node
 * @returns {Promise<number[]>}
 */
async function portsOf(node) {
  const [rpc, gossip, http] = [8300 + 10 * node, 8301 + 10 * node, 8000 + 10 * node];
  const free = (await tcpIsFree(rpc)) && (await udpIsFree(gossip)) && (await tcpIsFree(http));
  return free ? [rpc, gossip, http] : freePorts(3);
}

/** @param {string} folder */
async function layOut(folder) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {string | undefined} */
  let first;
  for (let at = 0; at < 3; at += 1) {
    const [rpc = '', gossip = '', http = ''] = (await portsOf(at)).map((port) => `${HOST}:${port}`);
    const joining = first ? ['--start-join-addrs', first] : ['--bootstrap'];
    nodes.push(
      new NodeProcess(`node-${at + 1}`, { rpc, gossip, http }, folder, ['--log-format', 'json'], {
        first: joining,
        again: joining,
      }),
    );
    first ??= gossip;
  }
  return nodes;
}

/** @param {Node[]} nodes @param {Client} client */
async function untilThreeVoters(nodes, client) {
  await nodes[0]?.until('three voters', START_DEADLINE, async () => {
    const members = await client.members();
    return members.filter((member) => member.suffrage === 'voter').length === nodes.length;
  });
}

/** @param {Client} client */
async function demonstrate(client) {
  console.log('\nOpening accounts in the ledger USD: funding (may go below zero), Alice, Bob');
  await client.openAccounts([
    { name: 'funding', ledger: 'USD', minBalance: null },
    { name: 'Alice', ledger: 'USD' },
    { name: 'Bob', ledger: 'USD' },
  ]);
  const transfers = [
    { debitAccount: 'funding', creditAccount: 'Alice', amount: '10.00' },
    { debitAccount: 'Alice', creditAccount: 'Bob', amount: '0.50' },
  ];
  for (const transfer of transfers) {
    const { result, offset } = await client.transfer(transfer);
    console.log(
      `  ${transfer.debitAccount} -> ${transfer.creditAccount}  ${transfer.amount.padStart(6)}  ${result}, offset ${offset}`,
    );
    if (result !== 'ok') throw new Error(`the transfer was refused: ${result}`);
  }
}

/** @param {Node[]} nodes */
async function showBalances(nodes) {
  console.log('\nBalances as each node answers them (linearizable, followers included):');
  for (const node of nodes) {
    const answers = [];
    for (const name of ['funding', 'Alice', 'Bob']) {
      const response = await globalThis.fetch(`http://${node.addresses.http}/api/v1/accounts/${name}/balance`);
      /** @type {any} */
      const balance = await response.json();
      if (!response.ok) throw new Error(`${node.name} answered ${response.status}: ${JSON.stringify(balance)}`);
      answers.push(`${name} ${balance.posted}`);
    }
    console.log(`  ${node.name}   ${answers.join('   ')}`);
  }
}

/**
 * The embedded databases need some seconds for their first start; nothing else waits for them.
 * @param {Node[]} nodes
 */
async function untilProjected(nodes) {
  for (const node of nodes) {
    await node.until(`the projection of ${node.name}`, DATABASE_DEADLINE, async () => {
      const response = await globalThis.fetch(`http://${node.addresses.http}/api/v1/cluster`);
      /** @type {any} */
      const cluster = await response.json();
      return cluster.projection.state === 'running' && Number(cluster.projection.lag_records) === 0;
    });
  }
  console.log('\nThe same history is in the embedded Postgres of each node.');
}

/** @param {Node[]} nodes */
function showAddresses(nodes) {
  console.log('\nAddresses:');
  for (const { name, addresses } of nodes) {
    console.log(`  ${name}   gRPC ${addresses.rpc}   HTTP http://${addresses.http}/   gossip ${addresses.gossip}`);
  }
  const [first] = nodes;
  const last = nodes.at(-1);
  if (!first || !last) return;
  const { rpc, http } = first.addresses;
  console.log('\nTry, in another terminal:');
  console.log(`  npx ledger --addr ${rpc} transfer Alice Bob 1.25`);
  console.log(`  npx ledger --addr ${last.addresses.rpc} balance Bob`);
  console.log(`  curl http://${http}/api/v1/accounts/Alice/balance`);
}

const { exit } = options();
const folder = mkdtempSync(join(tmpdir(), 'ledger-quickstart-'));
const nodes = await layOut(folder);
/** @type {Promise<void> | undefined} */
let stopping;
const stop = () => {
  stopping ??= Promise.all(nodes.map((node) => node.stop())).then(() =>
    rmSync(folder, { recursive: true, force: true }),
  );
  return stopping;
};
const interrupted = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve(signal));
});
void interrupted.then(async () => {
  console.log('\nStopping ...');
  await stop();
  process.exit(exit ? 130 : 0);
});

try {
  console.log('Starting three nodes on loopback ...');
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((node) => node.untilReady(START_DEADLINE)));
  const client = await LedgerClient.connect({ addresses: nodes.map((node) => node.addresses.rpc) });
  try {
    await untilThreeVoters(nodes, client);
    await demonstrate(client);
  } finally {
    await client.close();
  }
  await showBalances(nodes);
  await untilProjected(nodes);
  showAddresses(nodes);
  if (!exit) {
    console.log('\nCtrl-C stops the cluster and removes its data.');
    await interrupted;
  }
  await stop();
} catch (error) {
  console.error(`quickstart: ${messageOf(error)}`);
  await stop();
  process.exitCode = 1;
}
