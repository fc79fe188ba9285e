import { BatchKind, payloadOf, type BatchHeader } from '../log/batch';
import type { OutcomeStore } from '../log/outcomes';
import { OUTCOME_ROW_BYTES, sealOutcomes } from '../ledger/outcome-row';
import type { LedgerReader } from '../ledger/reader';
import { decodeRulesVersion, Rules } from '../ledger/rules-versions';
import { SnapshotReader } from '../ledger/snapshot-reader';
import { endingWith } from '../ledger/snapshot-writer';
import { LedgerState } from '../ledger/state';
import { Tables } from '../ledger/tables';
import type { RestorePoint, StateMachine } from '../raft/replica/state-machine';
import type { Attachment } from '../raft/snapshot';
import type { IdArchive } from './ids/id-archive';
import type { IdStore } from './ids/id-store';
import { GroupHistory, HistoryReader } from './group-history';
import { rehearsalEnded } from './rehearsal/rehearsal-protocol';
import type { RehearsalSource } from './rehearsal/rehearsal-thread';

const NO_OUTCOMES = Buffer.alloc(0);

/** The ledger as what a Raft group replicates; what it decided is kept beside the log for those who read records. */
export class LedgerMachine implements StateMachine {
  private state: LedgerState;
  private records = 0;
  /** Index of the batch whose ids were looked up. */
  private prepared = 0;
  private looking: Promise<void> | undefined;
  private log = new GroupHistory();

  constructor(
    private readonly outcomes: Pick<OutcomeStore, 'write' | 'sync'> & Partial<Pick<OutcomeStore, 'backlog'>>,
    /** This node's own, so that nobody can choose ids and names that collide in its tables. */
    private readonly hashSeed: number,
    readonly rules: Rules = new Rules(),
    /** Where the oldest rows of transfers go; without it all of them stay in memory. */
    private readonly ids?: IdStore,
  ) {
    this.state = new LedgerState(new Tables(hashSeed, ids?.archive));
  }

  /** Of the state as it is now; asked for anew each time, since a snapshot may replace the state. */
  get reader(): LedgerReader {
    return this.state.reader;
  }

  /** What the state knows of the log that made it; asked for anew each time, as `reader` is. */
  get history(): GroupHistory {
    return this.log;
  }

  /** The offset after the last applied record. */
  get nextOffset(): number {
    return this.records;
  }

  /** Rows of transfers that are in memory, whether or not they are on the disk as well. */
  get rowsInMemory(): number {
    const { count, rows } = this.state.transfers;
    return count - rows.first;
  }

  /** Bytes of what rows have beyond them (texts, metadata) that are in memory. */
  get extrasInMemory(): number {
    return this.state.transfers.extras.table.bytes;
  }

  /** The version of the rules that the state stands under; version entries in the log raise it. */
  get rulesVersion(): number {
    return this.state.rulesVersion;
  }

  /** Looks the ids of a batch up that is applied next. Undefined where nothing has to be read. */
  prepare(batch: Buffer, header: BatchHeader): Promise<void> | undefined {
    const { ids, state } = this;
    const holdsRecords = header.kind === BatchKind.Records || header.kind === BatchKind.System;
    if (!ids || state.transfers.rows.first === 0 || !holdsRecords || this.prepared === header.index) return undefined;
    const found = ids.lookUp(state.idsIn(payloadOf(batch)));
    if (!found) {
      state.recall([]);
      this.prepared = header.index;
      return undefined;
    }
    this.looking = found.then((rows) => {
      state.recall(rows);
      this.prepared = header.index;
    });
    return this.looking;
  }

  apply(batch: Buffer, header: BatchHeader): Buffer {
    const outcomes = this.decide(batch, header);
    this.log.took(header, outcomes, (number) => this.state.sliceHash(number));
    return outcomes;
  }

  private decide(batch: Buffer, header: BatchHeader): Buffer {
    if (header.kind === BatchKind.Version) this.switchRules(decodeRulesVersion(payloadOf(batch)), header.index);
    if (header.kind !== BatchKind.Records && header.kind !== BatchKind.System) return NO_OUTCOMES;
    const { time, baseOffset, count } = header;
    if (header.kind === BatchKind.System) {
      const answers = this.rules.apply(this.state, { time, baseOffset, kind: 'system' }, payloadOf(batch));
      this.ids?.afterBatch(this.state.transfers);
      return answers;
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
    this.ids?.afterBatch(this.state.transfers);
    return rows;
  }

  /** See LedgerState.rehearse: nothing of it stays, and nothing of it is written. */
  rehearse<T>(time: number, payload: Buffer, look: (outcomes: Buffer) => T): T {
    return this.state.rehearse(time, payload, look);
  }

  /** The state as it is now, for a copy elsewhere; `frames` is to be read to its end or ended, as a snapshot is. */
  rehearsalSource(): RehearsalSource {
    const { state, ids, hashSeed } = this;
    const archive = ids?.archive;
    const archived = archive?.rows ?? 0;
    return {
      ...{ hashSeed, archived, frames: state.snapshot(), chain: new Uint8Array(archive?.chain ?? []) },
      lookUp: async (names) => {
        const found = (await ids?.lookUpToRead(names)) ?? [];
        if (this.state !== state || ids?.archive !== archive)
          throw rehearsalEnded("a snapshot has taken the place of this node's state");
        // Rows that have left memory since are in the copy.
        return found.filter(({ row }) => row < archived);
      },
    };
  }

  backlog(): Promise<void> | undefined {
    return this.outcomes.backlog?.();
  }

  snapshot(): Iterable<Buffer> {
    return inTurn(this.log.capture(), this.state.snapshot());
  }

  attachments(): readonly Attachment[] {
    return this.ids?.attachments() ?? [];
  }

  async restore(chunks: AsyncIterable<Buffer>, at: Omit<RestorePoint, 'index'>): Promise<void> {
    // It belongs to the state that is replaced, and it reads what is closed then. What becomes of it was told to who asked.
    await this.looking?.catch(() => undefined);
    const archive = await this.ids?.restore(at.attachments ?? []);
    try {
      await this.restoreBeside(archive, chunks, at);
    } catch (error) {
      // Who falls back on no snapshot at all has the archive of this one otherwise, and a state that knows nothing of it.
      if (this.records === 0) this.state = new LedgerState(new Tables(this.hashSeed, await this.ids?.restore([])));
      throw error;
    }
  }

  private async restoreBeside(
    archive: IdArchive | undefined,
    chunks: AsyncIterable<Buffer>,
    at: Omit<RestorePoint, 'index'>,
  ): Promise<void> {
    const reader = new SnapshotReader(this.hashSeed, archive);
    const history = new HistoryReader();
    for await (const chunk of chunks) {
      const rest = history.take(chunk);
      if (rest.length > 0) reader.push(rest);
    }
    const log = history.finish();
    const state = new LedgerState(reader.finish());
    this.rules.check(state.rulesVersion, `A snapshot at offset ${at.nextOffset} stands under`);
    if (state.nextOffset !== at.nextOffset) {
      throw new Error(
        `A snapshot says that it stands at offset ${at.nextOffset}, but its state stands at ${state.nextOffset}.`,
      );
    }
    this.state = state;
    this.prepared = 0;
    this.log = log;
    this.records = at.nextOffset;
  }

  /** Closes what it has opened beside the outcomes. */
  async close(): Promise<void> {
    await this.ids?.stop();
  }

  flush(): Promise<void> {
    return this.outcomes.sync();
  }

  /** Throws InvariantViolation where something that must always hold of money does not. Walks everything. */
  assertInvariants(): void {
    this.state.assertInvariants();
  }

  /** Root of the tree over all entries that were applied, hex; equal on every node that has applied the same. */
  get historyRoot(): string {
    return this.log.tree.root().toString('hex');
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

/** One after the other; what ends early ends them all. */
function inTurn(...parts: readonly Iterable<Buffer>[]): Iterable<Buffer> {
  const open = parts.map((part) => part[Symbol.iterator]());
  function* all(): Generator<Buffer> {
    for (const iterator of open) {
      for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value;
    }
  }
  // Rows that are frozen for whoever reads the ledger are to be let go also where nobody came to read them.
  return endingWith(all(), () => {
    for (const iterator of open) iterator.return?.();
  });
}
