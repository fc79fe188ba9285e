import { type ApplyContext } from './apply-context';
import { type HoldRules } from './hold-rules';
import { OutcomeFlag } from './outcome-row';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';

const amount = new Uint32Array(4);

/** One record lets go of one hold, so that a consumer of the log sees each; the state says which hold it is. */
export function expireHold(tables: Tables, rules: HoldRules, context: ApplyContext): void {
  const hold = rules.expireFirst(context.time, context.offset);
  if (hold === 0) {
    context.write(ResultCode.PENDING_TRANSFER_NOT_FOUND, 0, 0, 0, undefined);
    return;
  }
  const debit = tables.holds.debit(hold);
  const ledger = tables.ledgers.byNumber(tables.accounts.ledgerOf(debit));
  context.write(ResultCode.OK, OutcomeFlag.RELEASES, debit, tables.holds.credit(hold), ledger);
  tables.holds.copyAmount(hold, amount);
  context.setAmount(amount, 0);
  context.setHold(hold);
}
