/** Writes that are tried one after the other on a copy of the state, which is thrown away afterwards. */
import { type LedgerReader } from '../ledger/reader';
import {
  balancesOf,
  type DryRunAnswer,
  dryRunBatch,
  type DryRunItems,
  handlesIn,
  outcomesOf,
  shownOutcomes,
  type StateBefore,
} from './dry-run-batch';
import { type Limits } from './limits';
import { type ReadPosition } from './reads';
import { checkCount } from './submit-items';

/** The copy, as far as it is used: it belongs to nobody else. */
export interface CopiedState {
  readonly reader: LedgerReader;
  readonly nextOffset: number;
  /** Applies a chunk of so many records for good, as a batch of writes; gives one outcome row a record. */
  apply(chunk: Buffer, count: number): Promise<Buffer>;
}

const FIRST_HANDLES = 1024;

export class DryRunCopy {
  private readonly before: StateBefore;
  private readonly touched = new TouchedAccounts();
  private told = 0;

  constructor(
    private readonly copy: CopiedState,
    private readonly limits: Limits,
    /** Of the state that was copied. */
    private readonly position: ReadPosition,
  ) {
    this.before = { nextOffset: copy.nextOffset, accounts: copy.reader.counts().accounts };
  }

  /** The next of one's writes: they see what came before them. Rejects with a Fault where they are no batch; then nothing was tried. */
  async take(items: DryRunItems): Promise<DryRunAnswer> {
    checkCount(items.accounts.length + items.transfers.length, this.limits, 'transfers');
    const batch = dryRunBatch(items, this.copy.reader, this.limits);
    const rows = batch.chunk ? await this.copy.apply(batch.chunk, batch.records) : Buffer.alloc(0);
    const outcomes = outcomesOf(batch, rows);
    for (const handle of handlesIn(outcomes)) this.touched.add(handle);
    return { ...shownOutcomes(batch, outcomes, this.before), balances: [], position: this.position };
  }

  /** The balances of the accounts that were named, a page with each call; undefined after the last. */
  nextBalances(): DryRunAnswer | undefined {
    const { touched, told, copy, before, position } = this;
    if (told >= touched.count) return undefined;
    this.told = Math.min(told + this.limits.pageItems, touched.count);
    const balances = balancesOf(touched.between(told, this.told), copy.reader, before);
    return { accounts: [], transfers: [], groups: [], balances, position };
  }
}

/** Handles, each once, in the order in which they came: five bytes for each that there is, however many a file names. */
class TouchedAccounts {
  private order = new Uint32Array(FIRST_HANDLES);
  private isKnown = new Uint8Array(FIRST_HANDLES);
  private used = 0;

  get count(): number {
    return this.used;
  }

  add(handle: number): void {
    if (handle >= this.isKnown.length) {
      const larger = new Uint8Array(Math.max(handle + 1, this.isKnown.length * 2));
      larger.set(this.isKnown);
      this.isKnown = larger;
    }
    if (this.isKnown[handle] === 1) return;
    this.isKnown[handle] = 1;
    if (this.used === this.order.length) {
      const larger = new Uint32Array(this.order.length * 2);
      larger.set(this.order);
      this.order = larger;
    }
    this.order[this.used++] = handle;
  }

  between(from: number, to: number): Uint32Array {
    return this.order.subarray(from, to);
  }
}
