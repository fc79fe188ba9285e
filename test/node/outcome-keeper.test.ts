import { encodeCommand } from '../../src/ledger/command-codec';
import { OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import type { FetchedBatch } from '../../src/ledger/projection/source';
import { encodeValues, RecordType } from '../../src/log/chunk';
import { LogDamageError } from '../../src/log/log-errors';
import { OutcomeStore } from '../../src/log/outcomes';
import { SegmentedLog } from '../../src/log/segmented-log';
import { readHeader } from '../../src/log/batch';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { firstMissingOutcome, OutcomeDamageError, OutcomeKeeper } from '../../src/node/outcome-keeper';
import { openAccount } from '../ledger/ledger-under-test';
import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { recordedEvents } from './recorded-events';

const DIR = '/log';
const RECORDS = 6;

/** A node whose outcomes are on a disk that can rot, and what a peer has. */
class Node {
  readonly events = recordedEvents();
  fromPeers: readonly FetchedBatch[] | Error = new Error('no peer answers');

  private constructor(
    readonly files: FaultyFiles,
    readonly log: SegmentedLog,
    readonly outcomes: OutcomeStore,
    readonly batch: Buffer,
    readonly rows: Buffer,
  ) {}

  static async make(): Promise<Node> {
    const files = new FaultyFiles();
    const fail = (error: unknown): never => {
      throw error;
    };
    const log = await SegmentedLog.open({ dir: DIR, files, group: 0, segmentBytes: 8_192, onFatal: fail });
    const outcomes = await OutcomeStore.open({ log, files });
    const machine = new LedgerMachine(outcomes, 1);
    const commands = Array.from({ length: RECORDS }, (_, at) => encodeCommand(openAccount(`a${at}`)));
    const payload = encodeValues(RecordType.Ledger, commands);
    const batch = new BatchChain().next({ count: RECORDS, payload });
    log.append(batch);
    const rows = Buffer.from(machine.apply(batch, readHeader(batch)));
    await log.sync();
    await outcomes.sync();
    return new Node(files, log, outcomes, batch, rows);
  }

  readonly keeper = new OutcomeKeeper({
    log: {
      indexOfOffset: (offset) => this.log.indexOfOffset(offset),
      read: (from, bytes) => this.log.read(from, bytes),
    },
    outcomes: {
      read: (offset, count) => this.outcomes.read(offset, count),
      write: (offset, rows) => this.outcomes.write(offset, rows),
      placeOf: (offset) => this.outcomes.placeOf(offset),
    },
    fromPeers: async () => {
      if (this.fromPeers instanceof Error) throw this.fromPeers;
      return this.fromPeers;
    },
    events: this.events,
  });

  rot(offset: number, byte: number): void {
    this.inode.rot(offset * OUTCOME_ROW_BYTES + byte, 1);
  }

  get inode() {
    return this.files.inode(`${DIR}/00000000000000000001.log.outcomes`);
  }

  async damage(): Promise<OutcomeDamageError> {
    const error: unknown = await this.keeper.read(0, RECORDS).catch((thrown: unknown) => thrown);
    if (error instanceof OutcomeDamageError) return error;
    throw new Error('The damage was not found.');
  }
}

describe('OutcomeKeeper', () => {
  test('gives what apply has decided', async () => {
    const node = await Node.make();
    expect(await node.keeper.read(0, RECORDS)).toEqual(node.rows);
    expect(await node.keeper.read(2, 3)).toEqual(node.rows.subarray(128, 320));
    expect(firstMissingOutcome(node.batch, node.rows)).toBe(-1);
  });

  test('never shows a row with a flipped bit, and names file and byte', async () => {
    const node = await Node.make();
    for (let byte = 0; byte < OUTCOME_ROW_BYTES; byte++) {
      node.rot(3, byte);
      const damage = await node.damage();
      expect(damage.offset).toBe(3);
      expect(damage.message).toContain(`.log.outcomes from byte ${3 * OUTCOME_ROW_BYTES} on`);
      node.rot(3, byte);
    }
    expect(await node.keeper.read(0, RECORDS)).toEqual(node.rows);
  });

  test('nor one that belongs elsewhere; a row that is gone shows as missing', async () => {
    const node = await Node.make();
    node.inode.write(node.rows.subarray(0, 64), 64);
    expect((await node.damage()).offset).toBe(1);
    node.inode.truncate(130);
    node.inode.write(node.rows.subarray(64, 128), 64);
    node.inode.write(Buffer.alloc(2), 128);
    expect(firstMissingOutcome(node.batch, await node.keeper.read(0, RECORDS))).toBe(2);
  });

  test('whose log is damaged at the same place cannot mend them, says so, and does not fail', async () => {
    const node = await Node.make();
    node.fromPeers = [{ batch: node.batch, outcomes: node.rows }];
    node.rot(2, 8);
    const damage = await node.keeper.read(0, RECORDS).catch((error: unknown) => error);
    expect(damage).toBeInstanceOf(OutcomeDamageError);
    const where = { file: '/log/1.log', position: 512, fromIndex: 1, toIndex: 1 };
    const broken = new LogDamageError(where, 'A batch does not have the CRC that its header states.');
    const search = jest.spyOn(node.log, 'indexOfOffset').mockRejectedValue(broken);
    expect(await node.keeper.mend(damage as OutcomeDamageError)).toBe(false);
    expect(node.events.of('warn')).toMatchObject([{ fields: { offset: 2, err: broken } }]);
    search.mockRestore();
    expect(await node.keeper.mend(damage as OutcomeDamageError)).toBe(true);
  });

  test('writes them again from those of a peer, for this batch only, and only where they are sound', async () => {
    const node = await Node.make();
    node.rot(3, 40);
    const damage = await node.damage();
    expect(await node.keeper.mend(damage)).toBe(false);
    const bad = Buffer.from(node.rows);
    bad[10] = bad[10]! ^ 1;
    node.fromPeers = [{ batch: node.batch, outcomes: bad }];
    expect(await node.keeper.mend(damage)).toBe(false);
    node.fromPeers = [{ batch: new BatchChain().next({ count: RECORDS }), outcomes: node.rows }];
    expect(await node.keeper.mend(damage)).toBe(false);
    node.fromPeers = [{ batch: node.batch, outcomes: node.rows }];
    expect(await Promise.all([node.keeper.mend(damage), node.keeper.mend(damage)])).toEqual([true, true]);
    expect(await node.keeper.read(0, RECORDS)).toEqual(node.rows);
    await node.outcomes.sync();
    expect(node.inode.bytes.subarray(0, node.rows.length)).toEqual(node.rows);
  });
});
