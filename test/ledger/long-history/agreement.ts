import { decodeOutcomeRow, OUTCOME_ROW_BYTES } from '../../../src/ledger/outcome-row';
import { resultName } from '../../../src/ledger/result-codes';
import { type LedgerReader } from '../../../src/ledger/reader';
import { type Facts, type ModelOutcome } from '../model/facts';

/** What a row of outcomes says, in the model's words. */
export function outcomeAt(rows: Buffer, i: number): ModelOutcome {
  const row = decodeOutcomeRow(rows, i * OUTCOME_ROW_BYTES);
  const { replayed, amount, effect, hold, offset, timestamp: time } = row;
  return { result: resultName(row.result), replayed, amount, effect, hold, offset, time };
}

/** Throws an Error that says what is not as it must be. */
export function expectEqual(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [text(found), text(expected)];
  if (left !== right) throw new Error(`It must be ${right}, but is ${left}: ${what}.`);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? 'undefined';
}

/** Balances and holds, as the model has them. */
export function expectFacts(reader: LedgerReader, { accounts, holds }: Facts): void {
  accounts.forEach((account, i) => {
    const { debitsPosted, creditsPosted, debitsPending, creditsPending } = reader.balance(i + 1) ?? {};
    const { debits, credits, debitsHeld, creditsHeld, name } = account;
    const state = {
      debits: debitsPosted,
      credits: creditsPosted,
      debitsHeld: debitsPending,
      creditsHeld: creditsPending,
    };
    expectEqual(state, { debits, credits, debitsHeld, creditsHeld }, `the balance of ${name}`);
  });
  holds.forEach(({ status }, i) => expectEqual(reader.hold(i + 1)?.status, status, `the status of hold ${i + 1}`));
}
