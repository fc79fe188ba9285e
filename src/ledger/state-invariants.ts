import { MAX_MINOR } from './amounts';
import { invariant } from './invariant';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';

/**
 * What must hold at every offset, added up over the whole state in exact integers: for tests and for the offline check of
 * a data directory. Throws InvariantViolation with a sentence that names the account or the ledger.
 */
export function assertInvariants(tables: Tables): void {
  const sums = tables.ledgers.all().map(() => ({ debits: 0n, credits: 0n, debitsHeld: 0n, creditsHeld: 0n }));
  const { accounts } = tables;
  for (let handle = 1; handle <= accounts.count; handle++) {
    const sum = sums[accounts.ledgerOf(handle) - 1];
    invariant(sum !== undefined, `Account ${handle} is of a ledger that does not exist.`);
    sum.debits += accounts.debitsPosted(handle);
    sum.credits += accounts.creditsPosted(handle);
    sum.debitsHeld += accounts.debitsPending(handle);
    sum.creditsHeld += accounts.creditsPending(handle);
    assertWithinLimits(tables, handle);
    assertFindable(tables, handle);
  }
  sums.forEach((sum, i) => {
    const code = tables.ledgers.byNumber(i + 1)?.code ?? '';
    invariant(sum.debits === sum.credits, `The posted balances of ledger ${code} do not sum to zero.`);
    invariant(sum.debitsHeld === sum.creditsHeld, `The holds of ledger ${code} do not sum to zero.`);
  });
  assertPosted(tables);
}

function assertWithinLimits(tables: Tables, handle: number): void {
  const { accounts, limits } = tables;
  const debits = accounts.debitsPosted(handle);
  const credits = accounts.creditsPosted(handle);
  const debitsHeld = accounts.debitsPending(handle);
  const creditsHeld = accounts.creditsPending(handle);
  const minimum = limits.minimum(accounts.limitsOf(handle));
  const maximum = limits.maximum(accounts.limitsOf(handle));
  invariant(
    minimum === undefined || credits - debits - debitsHeld >= minimum,
    `Account ${handle} is below its minimum balance.`,
  );
  invariant(
    maximum === undefined || credits + creditsHeld - debits <= maximum,
    `Account ${handle} is above its maximum balance.`,
  );
  invariant(
    debits + debitsHeld <= MAX_MINOR && credits + creditsHeld <= MAX_MINOR,
    `The debits or the credits of account ${handle} have more than 38 digits.`,
  );
}

function assertFindable(tables: Tables, handle: number): void {
  const name = Buffer.from(tables.accounts.name(handle), 'utf8');
  invariant(
    tables.accounts.findName(name, 0, name.length) === handle,
    `Account ${handle} is not found under its name; two accounts have it, or the index is damaged.`,
  );
}

/** What every account was debited and credited is what the remembered transfers moved: each id took effect once. */
function assertPosted(tables: Tables): void {
  const { accounts, transfers } = tables;
  const debits = new Array<bigint>(accounts.count + 1).fill(0n);
  const credits = new Array<bigint>(accounts.count + 1).fill(0n);
  for (let row = 0; row < transfers.count; row++) {
    if ((transfers.result(row) as ResultCode) !== ResultCode.OK) continue;
    const amount = transfers.amount(row);
    debits[transfers.debit(row)] = (debits[transfers.debit(row)] ?? 0n) + amount;
    credits[transfers.credit(row)] = (credits[transfers.credit(row)] ?? 0n) + amount;
  }
  for (let handle = 1; handle <= accounts.count; handle++) {
    invariant(
      debits[handle] === accounts.debitsPosted(handle) && credits[handle] === accounts.creditsPosted(handle),
      `The balance of account ${handle} is not the sum of the transfers that are remembered for it.`,
    );
  }
}
