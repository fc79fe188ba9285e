import { cpSync, mkdtempSync, openSync, closeSync, readSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../src/bench/free-ports';
import { NodeProcess } from '../../src/bench/node-process';
import { LedgerClient } from '../../src/client';

const VALUE_BYTES = 3_000;
const STOPPED = 0;

/** The data directory that a real node has left: several segments, two snapshots, money and values. */
export class WrittenDirectory {
  private copies = 0;

  private constructor(
    readonly folder: string,
    readonly dataDir: string,
  ) {}

  /** @param end how the node ended */
  static async make(end: 'stopped' | 'killed' = 'stopped'): Promise<WrittenDirectory> {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-offline-'));
    const [rpc, gossip, http] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string];
    const flags = ['--database-url', 'off', '--segment-bytes', '1MiB', '--snapshot-bytes', '1MiB'];
    const node = new NodeProcess('node-1', { rpc, gossip, http }, folder, flags, { first: ['--bootstrap'], again: [] });
    node.start();
    try {
      await node.untilReady(60_000);
      const client = await LedgerClient.connect({ addresses: [rpc] });
      try {
        await write(client);
      } finally {
        await client.close();
      }
      if (end === 'killed') await node.kill9();
      else if ((await node.stop()).code !== STOPPED) throw new Error(`The node did not stop cleanly: ${node.log()}`);
      return new WrittenDirectory(folder, node.dataDir);
    } finally {
      await node.kill9();
    }
  }

  /** A copy to be spoilt. */
  copy(): string {
    const target = join(this.folder, `copy-${++this.copies}`);
    cpSync(this.dataDir, target, { recursive: true });
    return target;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function write(client: LedgerClient): Promise<void> {
  await client.openAccounts([
    { name: 'funding', ledger: 'USD', minBalance: null },
    { name: 'Alice', ledger: 'USD' },
  ]);
  for (let round = 0; round < 60; round += 1) {
    const values = Array.from({ length: 20 }, (_, i) => Buffer.alloc(VALUE_BYTES, `${round}-${i} `));
    for await (const offset of client.produceStream(values)) if (offset < 0) throw new Error('No offset is below 0.');
    await client.transfer({ debitAccount: 'funding', creditAccount: 'Alice', amount: '1.00' });
  }
}

/** Every file below a folder, by its path in it. */
export function filesBelow(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

export function readAt(path: string, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const fd = openSync(path, 'r');
  readSync(fd, bytes, 0, length, position);
  closeSync(fd);
  return bytes;
}

export function writeAt(path: string, position: number, bytes: Buffer): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}

export function flipBit(path: string, position: number, bit = 0): void {
  const byte = readAt(path, position, 1);
  byte[0]! ^= 1 << bit;
  writeAt(path, position, byte);
}
