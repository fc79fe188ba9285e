import { type Command, encodeCommand } from '../../../src/ledger/command-codec';
import { type LedgerBatch, LedgerState } from '../../../src/ledger/state';
import { Tables } from '../../../src/ledger/tables';
import { encodeValues } from '../../../src/log/chunk';
import { Model } from '../model/model';
import { expectEqual, expectFacts, outcomeAt } from './agreement';
import { Operations } from './operations';

export interface Tally {
  operations: number;
  batches: number;
  /** How often each result came, repeats apart. */
  readonly results: Map<string, number>;
}

/** How often on the way a snapshot is taken, restored, and given what follows. */
const SNAPSHOTS = 10;

/**
 * One long random history: every answer is what the model says, and in the end the state, a replay from zero and what was
 * restored from snapshots on the way have the same hash. Throws an Error that says what differs, and where.
 */
export class LongHistory {
  readonly tally: Tally = { operations: 0, batches: 0, results: new Map() };
  readonly state = new LedgerState(new Tables(0));
  private readonly model = new Model();
  readonly batches: { readonly batch: LedgerBatch; readonly payload: Buffer; readonly outcomes: Buffer }[] = [];
  private readonly operations: Operations;
  private restored: LedgerState | undefined;
  private time = 1_000_000;

  constructor(seed: number) {
    this.operations = new Operations(seed);
  }

  run(operations: number, progress: (done: number) => void = () => undefined): Tally {
    this.apply(this.operations.start());
    for (let mark = 1; mark <= SNAPSHOTS; mark++) {
      while (this.tally.operations < (operations * mark) / SNAPSHOTS) this.apply(this.operations.batch());
      this.compareState();
      progress(this.tally.operations);
    }
    const replayed = new LedgerState(new Tables(0x5eed));
    for (const { batch, payload } of this.batches) replayed.apply(batch, payload);
    expectEqual(replayed.hash(), this.state.hash(), 'the hash of a replay from zero');
    return this.tally;
  }

  private apply(commands: readonly Command[]): void {
    this.time += 1000 * (1 + (commands.length % 7));
    const batch: LedgerBatch = { time: this.time, baseOffset: this.tally.operations, kind: 'records' };
    const payload = encodeValues(1, commands.map(encodeCommand));
    const rows = this.state.apply(batch, payload);
    this.restored?.apply(batch, payload);
    this.batches.push({ batch, payload, outcomes: rows });
    this.model.applyAll(commands, batch.baseOffset, batch.time).forEach((said, i) => {
      expectEqual(outcomeAt(rows, i), said, `the outcome of operation ${batch.baseOffset + i}`);
      const name = said.replayed ? 'replayed' : said.result;
      this.tally.results.set(name, (this.tally.results.get(name) ?? 0) + 1);
    });
    this.tally.operations += commands.length;
    this.tally.batches++;
  }

  private compareState(): void {
    this.state.assertInvariants();
    const { reader } = this.state;
    expectFacts(reader, this.model.facts);
    const hash = this.state.hash();
    if (this.restored !== undefined) expectEqual(this.restored.hash(), hash, 'the hash after the last snapshot');
    this.restored = LedgerState.restore(this.state.snapshot(), this.tally.batches);
    expectEqual(this.restored.hash(), hash, 'the hash of a snapshot');
  }
}
