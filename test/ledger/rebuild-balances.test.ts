import fc from 'fast-check';
import { type Outcome, recordValue } from '../../src/ledger/record-value';
import { LedgerState } from '../../src/ledger/state';
import { iterateChunks } from '../../src/log/chunk';
import { LedgerUnderTest, pending, post } from './ledger-under-test';
import { publishedCodec } from './published-codec';
import { histories } from './random-histories';
import { check } from './random-runs';
import { decodeLogRecord } from '../../src/ledger/record-value';

interface Sums {
  debits: bigint;
  credits: bigint;
  debitsHeld: bigint;
  creditsHeld: bigint;
}

/** What a consumer does that knows no rule: it adds up what the outcomes say. */
function addUp(outcomes: readonly Outcome[]): Map<number, Sums> {
  const accounts = new Map<number, Sums>();
  const of = (handle: number): Sums => {
    const sums = accounts.get(handle) ?? { debits: 0n, credits: 0n, debitsHeld: 0n, creditsHeld: 0n };
    accounts.set(handle, sums);
    return sums;
  };
  for (const { debitHandle, creditHandle, amountMoved, amountHeld, amountReleased } of outcomes) {
    of(debitHandle).debits += amountMoved;
    of(creditHandle).credits += amountMoved;
    of(debitHandle).debitsHeld += amountHeld - amountReleased;
    of(creditHandle).creditsHeld += amountHeld - amountReleased;
  }
  return accounts;
}

/** Every record of the log as a consumer gets it, shown by a machine that is at the end of the log. */
function valuesOf(ledger: LedgerUnderTest, state = ledger.state): Buffer[] {
  const { reader } = state;
  return ledger.batches.flatMap(({ payload, outcomes }) => {
    let at = -64;
    return iterateChunks(payload).flatMap((chunk) =>
      Array.from({ length: chunk.count }, (_, i) =>
        recordValue(
          chunk.type,
          chunk.width,
          chunk.record(i),
          outcomes,
          (at += 64),
          (number) => reader.ledgerByNumber(number)?.code,
          (number) => reader.hold(number),
        ),
      ),
    );
  });
}

test("balances, holds included, are the sums of what the records' outcomes say", () => {
  const property = fc.property(histories, (batches) => {
    const ledger = LedgerUnderTest.withAccounts('a', 'b');
    for (const batch of batches) ledger.do(...batch);
    const values = valuesOf(ledger, LedgerState.restore(ledger.state.snapshot()));
    const outcomes = values.map((value) => decodeLogRecord(value)?.outcome as Outcome);
    const sums = addUp(outcomes);
    for (const { handle } of ledger.state.reader.accountsFrom(1, 1000)) {
      const { debitsPosted, creditsPosted, debitsPending, creditsPending } = ledger.balance(
        ledger.state.reader.accountByHandle(handle)?.name ?? '',
      );
      expect(sums.get(handle) ?? { debits: 0n, credits: 0n, debitsHeld: 0n, creditsHeld: 0n }).toEqual({
        debits: debitsPosted,
        credits: creditsPosted,
        debitsHeld: debitsPending,
        creditsHeld: creditsPending,
      });
    }
    for (const value of values) expect(publishedCodec.encode(publishedCodec.decode(value)).equals(value)).toBe(true);
  });
  check('rebuild-balances', 60, property);
});

test('what the published proto says of a hold that was posted in part', () => {
  const ledger = LedgerUnderTest.withAccounts('alice');
  ledger.do(pending({ id: 'h', from: 'bank', to: 'alice', amount: '4', timeoutMs: 60_000 }));
  ledger.do(post({ id: 'p', to: 'h', amount: '1' }));
  const minor = (amount: number): Buffer => Buffer.from([amount & 0xff, amount >> 8, ...new Array<number>(14).fill(0)]);
  const [held, posted] = valuesOf(ledger)
    .slice(-2)
    .map((value) => publishedCodec.decode(value));
  expect(held).toMatchObject({
    transfer: { text_id: 'h', flags: 1, timeout_ms: '60000' },
    outcome: { amount_moved: minor(0), amount_held: minor(400), hold: '1', hold_text_id: 'h' },
  });
  expect(posted).toMatchObject({
    transfer: { text_id: 'p', flags: 2, pending_text_id: 'h' },
    outcome: { amount_moved: minor(100), amount_released: minor(400), hold: '1', hold_text_id: 'h' },
  });
});
