import { encodeRows } from '../log/chunk';
import { type Command } from '../ledger/command-codec';
import { DONE_WORD, OUTCOME_ROW_BYTES, OUTCOME_ROW_WORDS, OutcomeFlag } from '../ledger/outcome-row';
import { burnsId, ResultCode } from '../ledger/result-codes';
import { wordsOf } from '../ledger/words';
import { type Budget } from './deadline';
import { type ItemFault } from './item-fault';
import { type Limits } from './limits';
import { type Committed, type NodePort } from './node-port';
import { burnedIn, type RefusalQuota } from './refusal-quota';
import { submitChunk, type SubmittedItems, submitItems } from './submit-items';

/** Who asks for a write, and how long it may take. */
export interface Caller {
  readonly subject: string;
  readonly budget: Budget;
}

/** The way of transfers to the log, for every door: within what the caller's refusals may still cost. */
export class TransferWrites {
  constructor(
    private readonly port: NodePort,
    private readonly limits: Limits,
    private readonly quota: RefusalQuota,
  ) {}

  async submit(
    items: readonly (Command | ItemFault)[],
    field: string,
    { subject, budget }: Caller,
  ): Promise<SubmittedItems> {
    this.quota.admit(subject);
    const submitted = await submitItems(this.port, this.limits, items, field, budget);
    this.quota.charge(subject, burnedIn(submitted.outcomes));
    return submitted;
  }

  /** @param rows packed, and checked for their shape */
  async submitRows(rows: Buffer, count: number, { subject, budget }: Caller): Promise<Committed> {
    this.quota.admit(subject);
    const committed = await submitChunk(this.port, encodeRows(rows), count, budget);
    this.quota.charge(subject, burnedRows(committed.outcomes));
    return committed;
  }
}

/** As `burnedIn`, of outcomes as they come: most were done, and those cost one comparison each. */
function burnedRows(outcomes: Buffer): number {
  const words = wordsOf(outcomes, outcomes.length);
  let burned = 0;
  for (let row = 0; row < words.length / OUTCOME_ROW_WORDS; row++) {
    if (words[row * OUTCOME_ROW_WORDS] === DONE_WORD) continue;
    const at = row * OUTCOME_ROW_BYTES;
    const result: ResultCode = outcomes.readUInt8(at);
    if (result === ResultCode.OK || (outcomes.readUInt16LE(at + 2) & OutcomeFlag.REPLAYED) !== 0) continue;
    if (burnsId(result)) burned++;
  }
  return burned;
}
