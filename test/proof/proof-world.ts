import { generateKeyPairSync } from 'node:crypto';
import { encodeCommand, type Command } from '../../src/ledger/command-codec';
import { BatchKind, readHeader } from '../../src/log/batch';
import { encodeValues, RecordType } from '../../src/log/chunk';
import type { FetchedBatch } from '../../src/ledger/projection/source';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { TransferProofs } from '../../src/node/transfer-proofs';
import type { PublishedKeys } from '../../src/proof/verify-proof';
import { rawPublicKey } from '../../src/proof/signed-head';
import { BatchChain } from '../support/batch-chain';

export const CLUSTER = 'ab'.repeat(16);
export const NODE = 'cd'.repeat(8);
const EMPTY = Buffer.alloc(0);

/** A log and the state it makes, and a node's key: what proofs are made of. */
export class ProofWorld {
  readonly machine = new LedgerMachine({ write: () => undefined, sync: async () => undefined }, 1);
  readonly batches: FetchedBatch[] = [];
  readonly proofs: TransferProofs;
  readonly keys: PublishedKeys;
  /** Entries below it cannot be had. */
  firstIndex = 1;
  loads = 0;
  /** Awaited whenever batches are read. */
  beforeLoad: () => Promise<void> | void = () => undefined;
  private readonly chain = new BatchChain();

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.keys = { clusterId: CLUSTER, keys: new Map([[NODE, rawPublicKey(publicKey)]]) };
    this.proofs = new TransferProofs({
      ...{ group: 0, key: privateKey, clusterId: () => CLUSTER, nodeId: NODE },
      log: { indexOfOffset: async (offset) => this.indexOf(offset) },
      tree: () => this.machine.history.tree,
      nextOffset: () => this.machine.nextOffset,
      load: async (fromIndex) => this.load(fromIndex),
      nowMicros: () => 1_700_000_000_000_000,
    });
    this.add([
      {
        ...{ kind: 'create_ledger', code: 'USD', scale: 2, autoOpen: true, rounding: 0 },
        ...{ defaultMinBalance: undefined, defaultMaxBalance: undefined },
      },
    ]);
  }

  /** One batch of these records; returns the offset of the first. */
  add(commands: readonly Command[]): number {
    const payload = encodeValues(RecordType.Ledger, commands.map(encodeCommand));
    return this.take(this.chain.next({ count: commands.length, payload }));
  }

  /** A batch with a value before a transfer, so that records of both kinds are in one. */
  addAfterValue(command: Command): number {
    const parts = [
      encodeValues(RecordType.Value, [Buffer.from('v')]),
      encodeValues(RecordType.Ledger, [encodeCommand(command)]),
    ];
    return this.take(this.chain.next({ count: 2, payload: Buffer.concat(parts) })) + 1;
  }

  /** Entries of Raft's own. */
  pass(entries: number): void {
    for (let i = 0; i < entries; i++) this.take(this.chain.next({ kind: BatchKind.NoOp, payload: EMPTY }));
  }

  private take(batch: Buffer): number {
    const header = readHeader(batch);
    const outcomes = this.machine.apply(batch, header);
    this.batches.push({ batch, outcomes: header.count > 0 ? outcomes : EMPTY });
    return header.baseOffset;
  }

  private indexOf(offset: number): number | undefined {
    const at = this.batches.findIndex(({ batch }) => {
      const { baseOffset, count } = readHeader(batch);
      return offset >= baseOffset && offset < baseOffset + count;
    });
    return at < 0 ? undefined : at + 1;
  }

  private async load(fromIndex: number): Promise<readonly FetchedBatch[]> {
    this.loads += 1;
    await this.beforeLoad();
    return fromIndex < this.firstIndex ? [] : this.batches.slice(fromIndex - 1, fromIndex + 40);
  }
}

export function payment(id: string, amount: string, from = 'Alice', to = 'Bob'): Command {
  return {
    ...{ kind: 'transfer', id: { kind: 'text', text: id }, debit: { name: from }, credit: { name: to } },
    ...{ amount: { text: amount }, ledger: 'USD', code: 0, userData: 0n, metadata: EMPTY, flags: 0 },
  };
}
