import { AccountTable } from './account-table';
import { ByteArena } from './byte-arena';
import { ExpiryQueue } from './expiry-queue';
import { GroupTable } from './group-table';
import { HoldTable } from './hold-table';
import { invariant } from './invariant';
import { Journal } from './journal';
import { LedgerTable } from './ledger-table';
import { LimitTable } from './limit-table';
import { ReversalTable } from './reversal-table';
import { RESULT_CODE_COUNT, type ResultCode } from './result-codes';
import { type RowArchive } from './row-archive';
import { TransferTable } from './transfer-table';

/** The version of the rules from which on extras go with their rows, see RowExtras. */
export const EXTRAS_GO_WITH_ROWS = 2;

/** How long the tables were at one moment. */
export interface TableMark {
  readonly accounts: number;
  readonly transfers: number;
  readonly holds: number;
  readonly reversals: number;
  readonly groups: number;
  readonly limits: number;
  readonly arenaBytes: number;
  /** Where the journal goes back to. */
  readonly kept: number;
}

/** Everything that the state machine remembers. A plain container: the rules are elsewhere. */
export class Tables {
  readonly arena = new ByteArena();
  readonly limits = new LimitTable();
  readonly ledgers = new LedgerTable();
  readonly accounts: AccountTable;
  readonly transfers: TransferTable;
  readonly journal = new Journal();
  readonly holds = new HoldTable(this.journal);
  readonly expiries = new ExpiryQueue(this.holds);
  readonly reversals: ReversalTable;
  readonly groups: GroupTable;
  /** Transfer records by result, repeats not counted. */
  readonly transfersByResult: Float64Array = new Float64Array(RESULT_CODE_COUNT);
  replayed = 0;
  /** The offset after the last record. */
  nextOffset = 0;
  /** Of the last batch, in microseconds; 0 before the first. */
  lastTime = 0;
  /** The version of the rules that the next batch is applied under; see RULES_VERSIONS. */
  rulesVersion = 1;
  /** How long ids are remembered, in microseconds; 0: for ever. */
  dedupAge = 0;
  /** What is done now is undone in the same turn, see `rehearse`. */
  isRehearsing = false;

  /**
   * @param hashSeed any 32-bit number, best a node's own and secret, so that nobody can choose ids and names that collide.
   * It decides only where things lie in memory: nothing that can be seen depends on it.
   * @param archive has the oldest rows of transfers, where they do not all stay in memory
   */
  constructor(
    readonly hashSeed: number,
    archive?: RowArchive,
  ) {
    this.accounts = new AccountTable(this.arena, hashSeed);
    this.transfers = new TransferTable(this.arena, hashSeed, archive);
    this.reversals = new ReversalTable(this.journal, hashSeed);
    this.groups = new GroupTable(this.arena, hashSeed);
  }

  count(result: ResultCode): void {
    this.transfersByResult[result] = (this.transfersByResult[result] as number) + 1;
  }

  /** Takes back what `count` counted. */
  uncount(result: ResultCode, times: number): void {
    this.transfersByResult[result] = (this.transfersByResult[result] as number) - times;
  }

  /** New rules hold from now on. Versions only rise: a second entry for one that holds already changes nothing. */
  switchRules(version: number): void {
    if (this.rulesVersion < EXTRAS_GO_WITH_ROWS && version >= EXTRAS_GO_WITH_ROWS) {
      this.transfers.extras.lengthsFrom = this.transfers.count;
    }
    this.rulesVersion = Math.max(this.rulesVersion, version);
  }

  /** Begins what can be undone: a linked group, or a rehearsal with linked groups in it. */
  begin(): TableMark {
    return {
      kept: this.journal.begin(),
      accounts: this.accounts.count,
      transfers: this.transfers.count,
      holds: this.holds.count,
      reversals: this.reversals.count,
      groups: this.groups.count,
      limits: this.limits.rows.rows,
      arenaBytes: this.arena.bytes,
    };
  }

  /** Everything as it was at `begin`, to the byte. What expires is not in the queue yet: that is for the end of the group. */
  rollBack(mark: TableMark): void {
    this.journal.undo(mark.kept);
    // Indexes are cleared by way of what the rows and texts say, so these go from the one that refers to what is referred to.
    this.groups.truncate(mark.groups);
    this.reversals.truncate(mark.reversals);
    this.holds.rows.truncate(mark.holds);
    this.transfers.truncate(mark.transfers);
    this.accounts.truncate(mark.accounts);
    this.limits.rows.truncate(mark.limits);
    this.arena.truncate(mark.arenaBytes);
  }

  /** Ends a group that was done. */
  commit(mark: TableMark): void {
    this.journal.end();
    for (let hold = mark.holds + 1; hold <= this.holds.count; hold++) this.queueExpiry(hold);
  }

  /** A hold that was made for good, and may expire. */
  queueExpiry(hold: number): void {
    if (!this.isRehearsing && this.holds.expiresAt(hold) !== 0) this.expiries.push(hold);
  }

  /**
   * Does `work`, and undoes all that it did: whatever comes of it, everything is as it was before, to the byte. It may make
   * transfers of every kind, linked groups and accounts; nothing else can be undone.
   */
  rehearse<T>(work: () => T): T {
    invariant(!this.isRehearsing, 'A rehearsal has no other one inside of it.');
    const mark = this.begin();
    const { replayed } = this;
    const byResult = this.transfersByResult.slice();
    this.isRehearsing = true;
    try {
      return work();
    } finally {
      this.rollBack(mark);
      this.transfersByResult.set(byResult);
      this.replayed = replayed;
      this.isRehearsing = false;
    }
  }
}
