import { AccountTable } from './account-table';
import { ByteArena } from './byte-arena';
import { LedgerTable } from './ledger-table';
import { LimitTable } from './limit-table';
import { RESULT_CODE_COUNT, type ResultCode } from './result-codes';
import { TransferTable } from './transfer-table';

/** Everything that the state machine remembers. A plain container: the rules are elsewhere. */
export class Tables {
  readonly arena = new ByteArena();
  readonly limits = new LimitTable();
  readonly ledgers = new LedgerTable();
  readonly accounts: AccountTable;
  readonly transfers: TransferTable;
  /** Transfer records by result, repeats not counted. */
  readonly transfersByResult: Float64Array = new Float64Array(RESULT_CODE_COUNT);
  replayed = 0;
  /** The offset after the last record. */
  nextOffset = 0;
  /** Of the last batch, in microseconds; 0 before the first. */
  lastTime = 0;
  /** The version of the rules that the next batch is applied under; see RULES_VERSIONS. */
  rulesVersion = 1;

  /**
   * @param hashSeed any 32-bit number, best a node's own and secret, so that nobody can choose ids and names that collide.
   * It decides only where things lie in memory: nothing that can be seen depends on it.
   */
  constructor(readonly hashSeed: number) {
    this.accounts = new AccountTable(this.arena, hashSeed);
    this.transfers = new TransferTable(this.arena, hashSeed);
  }

  count(result: ResultCode): void {
    this.transfersByResult[result] = (this.transfersByResult[result] as number) + 1;
  }
}
