import { MAX_MINOR } from './amounts';
import { HoldStatus } from './hold-table';
import { invariant } from './invariant';
import { type Tables } from './tables';
import { TransferExtras } from './transfer-extras';

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
  assertReversed(tables);
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

/**
 * What every account was debited and credited is what the remembered transfers moved, and what it holds is what the holds
 * say that are still pending: each id took effect once.
 */
function assertPosted(tables: Tables): void {
  const { accounts, holds, transfers } = tables;
  const sums = [0, 1, 2, 3].map(() => new Array<bigint>(accounts.count + 1).fill(0n));
  const [debits, credits, debitsHeld, creditsHeld] = sums as [bigint[], bigint[], bigint[], bigint[]];
  for (let row = 0; row < transfers.count; row++) {
    const moved = transfers.moved(row);
    if (moved === 0n) continue;
    addTo(debits, transfers.debit(row), moved);
    addTo(credits, transfers.credit(row), moved);
  }
  for (let hold = 1; hold <= holds.count; hold++) {
    const row = holds.transfer(hold);
    invariant(transfers.hold(row) === hold, `Hold ${hold} is not the hold of the transfer that made it.`);
    const sameAccounts = transfers.debit(row) === holds.debit(hold) && transfers.credit(row) === holds.credit(hold);
    invariant(sameAccounts, `Hold ${hold} has other accounts than the transfer that made it.`);
    if (holds.status(hold) !== HoldStatus.PENDING) continue;
    addTo(debitsHeld, holds.debit(hold), holds.amount(hold));
    addTo(creditsHeld, holds.credit(hold), holds.amount(hold));
  }
  for (let handle = 1; handle <= accounts.count; handle++) {
    invariant(
      debits[handle] === accounts.debitsPosted(handle) && credits[handle] === accounts.creditsPosted(handle),
      `The balance of account ${handle} is not the sum of the transfers that are remembered for it.`,
    );
    invariant(
      debitsHeld[handle] === accounts.debitsPending(handle) && creditsHeld[handle] === accounts.creditsPending(handle),
      `What account ${handle} holds is not the sum of its holds that are pending.`,
    );
    const hasHolds = debitsHeld[handle] !== 0n || creditsHeld[handle] !== 0n;
    invariant(hasHolds === accounts.hasHolds(handle), `Account ${handle} does not say whether it has holds.`);
  }
}

/** No transfer was reversed by more than it moved, and both ends say the same. */
function assertReversed(tables: Tables): void {
  const { reversals, transfers } = tables;
  const extras = new TransferExtras();
  for (let entry = 0; entry < reversals.count; entry++) {
    const row = reversals.transfer(entry);
    let sum = 0n;
    for (let next = reversals.newest(entry) + 1; next > 0;) {
      sum += transfers.moved(next - 1);
      next = transfers.readExtras(next - 1, extras).previousReversal;
    }
    invariant(
      sum === reversals.sum(entry) && sum <= transfers.moved(row),
      `The transfers that reverse the one of row ${row} come to another sum than is remembered, or to more than it moved.`,
    );
  }
}

function addTo(sums: bigint[], handle: number, amount: bigint): void {
  sums[handle] = (sums[handle] ?? 0n) + amount;
}
