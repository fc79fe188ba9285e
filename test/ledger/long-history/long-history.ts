import { type Command, encodeCommand } from '../../../src/ledger/command-codec';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES } from '../../../src/ledger/outcome-row';
import { resultName } from '../../../src/ledger/result-codes';
import { type LedgerBatch, LedgerState } from '../../../src/ledger/state';
import { Tables } from '../../../src/ledger/tables';
import { encodeValues } from '../../../src/log/chunk';
import { type ModelOutcome } from '../model/facts';
import { Model } from '../model/model';
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
    const { accounts, holds } = this.model.facts;
    accounts.forEach((account, i) => {
      const { debitsPosted, creditsPosted, debitsPending, creditsPending } = reader.balance(i + 1) ?? {};
      const { debits, credits, debitsHeld, creditsHeld, name } = account;
      const state = {
        debits: debitsPosted,
        credits: creditsPosted,
        debitsHeld: debitsPending,
        creditsHeld: creditsPending,
      };
      expectEqual(state, { debits, credits, debitsHeld, creditsHeld }, `the balance of ${name}`);
    });
    holds.forEach(({ status }, i) => expectEqual(reader.hold(i + 1)?.status, status, `the status of hold ${i + 1}`));
    const hash = this.state.hash();
    if (this.restored !== undefined) expectEqual(this.restored.hash(), hash, 'the hash after the last snapshot');
    this.restored = LedgerState.restore(this.state.snapshot(), this.tally.batches);
    expectEqual(this.restored.hash(), hash, 'the hash of a snapshot');
  }
}

function outcomeAt(rows: Buffer, i: number): ModelOutcome {
  const row = decodeOutcomeRow(rows, i * OUTCOME_ROW_BYTES);
  const { replayed, amount, effect, hold, offset, timestamp: time } = row;
  return { result: resultName(row.result), replayed, amount, effect, hold, offset, time };
}

function expectEqual(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [text(found), text(expected)];
  if (left !== right) throw new Error(`It must be ${right}, but is ${left}: ${what}.`);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? 'undefined';
}
