import type { LedgerReader } from '../../src/ledger/reader';
import { violated } from './violation';

const ALL = 1_000_000;

/** The rules of money that hold at every offset, added up from what readers see. */
export function expectBalanced(name: string, index: number, reader: LedgerReader): void {
  const posted = new Map<string, bigint>();
  const held = new Map<string, bigint>();
  for (const account of reader.accountsFrom(1, ALL)) {
    const balance = reader.balance(account.handle);
    if (!balance) violated('money', `${name} has no balance for account ${account.name} at index ${index}`);
    const { code } = account.ledger;
    posted.set(code, (posted.get(code) ?? 0n) + balance.posted);
    held.set(code, (held.get(code) ?? 0n) + balance.debitsPending - balance.creditsPending);
    const { minBalance, maxBalance } = account;
    const low = balance.posted - balance.debitsPending;
    const high = balance.posted + balance.creditsPending;
    if ((minBalance !== undefined && low < minBalance) || (maxBalance !== undefined && high > maxBalance)) {
      violated('money', `account ${account.name} has ${balance.posted} at index ${index}, outside its limits`);
    }
  }
  for (const [code, sum] of posted) {
    if (sum !== 0n) violated('money', `the balances of ledger ${code} sum to ${sum} at index ${index} on ${name}`);
  }
  for (const [code, sum] of held) {
    if (sum !== 0n) violated('money', `the holds of ledger ${code} sum to ${sum} at index ${index} on ${name}`);
  }
}
