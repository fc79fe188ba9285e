import { BatchKind, payloadOf, type BatchHeader } from '../log/batch';
import type { OutcomeStore } from '../log/outcomes';
import { OUTCOME_ROW_BYTES, sealOutcomes } from '../ledger/outcome-row';
import type { LedgerReader } from '../ledger/reader';
import { decodeRulesVersion, Rules } from '../ledger/rules-versions';
import { SnapshotReader } from '../ledger/snapshot-reader';
import { LedgerState } from '../ledger/state';
import { Tables } from '../ledger/tables';
import type { StateMachine } from '../raft/replica/state-machine';

const NO_OUTCOMES = Buffer.alloc(0);

/** The ledger as what a Raft group replicates; what it decided is kept beside the log for those who read records. */
export class LedgerMachine implements StateMachine {
  private state: LedgerState;
  private records = 0;

  constructor(
    private readonly outcomes: Pick<OutcomeStore, 'write' | 'sync'> & Partial<Pick<OutcomeStore, 'backlog'>>,
    /** This node's own, so that nobody can choose ids and names that collide in its tables. */
    private readonly hashSeed: number,
    readonly rules: Rules = new Rules(),
  ) {
    this.state = new LedgerState(new Tables(hashSeed));
  }

  /** Of the state as it is now; asked for anew each time, since a snapshot may replace the state. */
  get reader(): LedgerReader {
    return this.state.reader;
  }

  /** The offset after the last applied record. */
  get nextOffset(): number {
    return this.records;
  }

  /** The version of the rules that the state stands under; version entries in the log raise it. */
  get rulesVersion(): number {
    return this.state.rulesVersion;
  }

  apply(batch: Buffer, header: BatchHeader): Buffer {
    if (header.kind === BatchKind.Version) this.switchRules(decodeRulesVersion(payloadOf(batch)), header.index);
    if (header.kind !== BatchKind.Records && header.kind !== BatchKind.System) return NO_OUTCOMES;
    const { time, baseOffset, count } = header;
    if (header.kind === BatchKind.System) {
      return this.rules.apply(this.state, { time, baseOffset, kind: 'system' }, payloadOf(batch));
    }
    const rows = this.rules.apply(this.state, { time, baseOffset, kind: 'records', count }, payloadOf(batch));
    if (rows.length !== count * OUTCOME_ROW_BYTES) {
      throw new Error(
        `Batch ${header.index} has ${count} records, but the ledger gave ${rows.length} bytes of outcomes.`,
      );
    }
    sealOutcomes(rows, baseOffset);
    this.outcomes.write(baseOffset, rows);
    this.records = baseOffset + count;
    return rows;
  }

  backlog(): Promise<void> | undefined {
    return this.outcomes.backlog?.();
  }

  snapshot(): Iterable<Buffer> {
    return this.state.snapshot();
  }

  async restore(chunks: AsyncIterable<Buffer>, at: { readonly nextOffset: number }): Promise<void> {
    const reader = new SnapshotReader(this.hashSeed);
    for await (const chunk of chunks) reader.push(chunk);
    const state = new LedgerState(reader.finish());
    this.rules.check(state.rulesVersion, `A snapshot at offset ${at.nextOffset} stands under`);
    if (state.nextOffset !== at.nextOffset) {
      throw new Error(
        `A snapshot says that it stands at offset ${at.nextOffset}, but its state stands at ${state.nextOffset}.`,
      );
    }
    this.state = state;
    this.records = at.nextOffset;
  }

  flush(): Promise<void> {
    return this.outcomes.sync();
  }

  /** Throws InvariantViolation where something that must always hold of money does not. Walks everything. */
  assertInvariants(): void {
    this.state.assertInvariants();
  }

  /** SHA-256 of the state, hex; equal on every node that has applied the same batches. */
  hash(): string {
    return this.state.hash();
  }

  /** From a version entry on, new rules hold. A node that does not know them stops: skipping them would make it differ. */
  private switchRules(version: number, index: number): void {
    this.rules.check(version, `Entry ${index} of the log switches on`);
    this.state.switchRules(version);
  }
}
