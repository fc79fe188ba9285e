import {
  EXPIRE,
  LedgerUnderTest,
  openAccount,
  pending,
  post,
  transfer,
  update,
  uuid,
  voids,
} from './ledger-under-test';

/** Alice has 10.00; `hold` holds 4.00 of it for Bob. */
function held(timeoutMs?: number): LedgerUnderTest {
  const ledger = LedgerUnderTest.withAccounts('alice', 'bob');
  ledger.do(transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' }));
  const timeout = timeoutMs === undefined ? {} : { timeoutMs };
  expect(ledger.results(pending({ id: 'hold', from: 'alice', to: 'bob', amount: '4', ...timeout }))).toEqual(['ok']);
  return ledger;
}

const NOTHING = { debitsPending: 0n, creditsPending: 0n };

describe('a hold', () => {
  test('moves nothing, and counts in the limits from when it is made', () => {
    const ledger = held();
    expect(ledger.balance('alice')).toMatchObject({ posted: 1000n, debitsPending: 400n, available: 600n, version: 2 });
    expect(ledger.balance('bob')).toMatchObject({ posted: 0n, creditsPending: 400n, available: 0n });
    expect(ledger.transfer({ id: 'a', from: 'alice', to: 'bob', amount: '6.01' })).toBe('insufficient_funds');
    expect(ledger.transfer({ id: 'b', from: 'alice', to: 'bob', amount: '6' })).toBe('ok');
    ledger.state.assertInvariants();
  });

  test('says in its outcome what it holds, and that it moved nothing', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const command = pending({ id: 'h', from: 'bank', to: 'alice', amount: '4' });
    const [row] = ledger.do(command);
    expect(row).toMatchObject({ effect: 'held', hold: 1, amount: 400n, amountMoved: 0n, debitHandle: 1 });
    expect(ledger.do(command)[0]).toEqual({ ...row, replayed: true });
  });

  test('is posted in full where the post says no amount, or in part, which lets go of the rest', () => {
    const ledger = held();
    ledger.do(pending({ id: 'hold 2', from: 'alice', to: 'bob', amount: '3' }));
    const rows = ledger.do(post({ id: 'p1', to: 'hold' }), post({ id: 'p2', to: 'hold 2', amount: '1.5' }));
    expect(rows).toMatchObject([
      { result: 0, effect: 'posted', hold: 1, amountMoved: 400n },
      { result: 0, effect: 'posted_part', hold: 2, amountMoved: 150n },
    ]);
    expect(ledger.balance('alice')).toMatchObject({ posted: 450n, ...NOTHING, available: 450n, version: 5 });
    expect(ledger.balance('bob')).toMatchObject({ posted: 550n, ...NOTHING });
    const again = ledger.do(post({ id: 'p2', to: 'hold 2', amount: '1.50' }), post({ id: 'p1', to: 'hold' }));
    expect(again).toEqual([
      { ...rows[1], replayed: true },
      { ...rows[0], replayed: true },
    ]);
    ledger.state.assertInvariants();
  });

  test('is voided as a whole', () => {
    const ledger = held();
    expect(ledger.do(voids({ id: 'v', to: 'hold' }))).toMatchObject([
      { result: 0, effect: 'released', hold: 1, amount: 400n, amountMoved: 0n },
    ]);
    expect(ledger.balance('alice')).toMatchObject({ posted: 1000n, ...NOTHING, available: 1000n, version: 3 });
    ledger.state.assertInvariants();
  });

  test('both ends name each other', () => {
    const ledger = held();
    ledger.do(post({ id: uuid(7), to: 'hold', amount: '1' }));
    const read = (text: string): unknown => ledger.state.reader.transferById({ kind: 'text', text });
    expect(read('hold')).toMatchObject({
      kind: 'pending',
      moved: 0n,
      hold: { number: 1, amount: 400n, status: 'posted', resolvedBy: uuid(7), transferId: 'hold' },
    });
    const id = { kind: 'uuid', bytes: Buffer.from(uuid(7).replaceAll('-', ''), 'hex') } as const;
    expect(ledger.state.reader.transferById(id)).toMatchObject({ kind: 'post', refersTo: 'hold', moved: 100n });
  });

  test('can be posted and voided on accounts that were closed since', () => {
    const ledger = held();
    ledger.do(pending({ id: 'hold 2', from: 'alice', to: 'bob', amount: '1' }));
    ledger.do(update('alice', { closed: true }), update('bob', { closed: true }));
    expect(ledger.results(post({ id: 'p', to: 'hold' }), voids({ id: 'v', to: 'hold 2' }))).toEqual(['ok', 'ok']);
    expect(ledger.results(pending({ id: 'h3', from: 'alice', to: 'bob', amount: '1' }))).toEqual([
      'debit_account_closed',
    ]);
  });

  test('of packed rows is the same hold', () => {
    const ledger = LedgerUnderTest.withAccounts('alice');
    const command = pending({ id: uuid(1), from: 1, to: 2, amount: 4n });
    const id = Buffer.from(uuid(1).replaceAll('-', ''), 'hex');
    const row = { id, debitHandle: 1, creditHandle: 2, amount: 4n, userData: 0n, code: 0, flags: 1 };
    expect(ledger.rows([row])).toMatchObject([{ result: 0, effect: 'held', hold: 1 }]);
    expect(ledger.do(command)).toMatchObject([{ result: 0, replayed: true, hold: 1 }]);
    expect(ledger.results(post({ id: uuid(2), to: uuid(1) }))).toEqual(['ok']);
  });
});

describe('the order of the rules of a post', () => {
  test('each refusal, and that none of them burns the id', () => {
    const ledger = held(1000);
    ledger.do(
      openAccount('eva'),
      transfer({ id: 'poor', from: 'bob', to: 'eva', amount: '1' }),
      pending({ id: 'posted', from: 'alice', to: 'bob', amount: '1' }),
      pending({ id: 'voided', from: 'alice', to: 'bob', amount: '1' }),
      post({ id: 'p', to: 'posted' }),
      voids({ id: 'v', to: 'voided' }),
    );
    const results = ledger.results(
      post({ id: 'x', to: 'nothing', from: 'bob' }),
      post({ id: 'x', to: 'poor' }),
      post({ id: 'x', to: 'fund', from: 'bob' }),
      post({ id: 'x', to: 'posted', from: 'bob', amount: '9' }),
      post({ id: 'x', to: 'posted', payee: 'eva', amount: '9' }),
      post({ id: 'x', to: 'posted', from: 'alice', ledger: 'XTS' }),
      post({ id: 'x', to: 'posted', amount: '0.001' }),
      post({ id: 'x', to: 'posted', amount: '1.01' }),
      post({ id: 'x', to: 'posted', amount: '1' }),
      voids({ id: 'x', to: 'posted' }),
      post({ id: 'x', to: 'voided' }),
      post({ id: 'x', to: 'hold', from: 'alice', payee: 'bob', ledger: 'USD', amount: 400n }),
    );
    expect(results).toEqual([
      'pending_transfer_not_found',
      'pending_transfer_not_found',
      'pending_transfer_not_pending',
      'pending_transfer_has_different_accounts',
      'pending_transfer_has_different_accounts',
      'accounts_must_have_the_same_ledger',
      'amount_precision',
      'pending_transfer_amount_exceeded',
      'pending_transfer_already_posted',
      'pending_transfer_already_posted',
      'pending_transfer_already_voided',
      'ok',
    ]);
    ledger.state.assertInvariants();
  });

  test('an account that does not exist burns the id; the refusal comes again when it does exist', () => {
    const ledger = held();
    const command = post({ id: 'x', to: 'hold', payee: 'late' });
    expect(ledger.results(command)).toEqual(['credit_account_not_found']);
    ledger.do(openAccount('late'));
    expect(ledger.do(command)).toMatchObject([{ result: 2, replayed: true, refusedBefore: true }]);
    expect(ledger.results(post({ id: 'x', to: 'other', payee: 'late' }))).toEqual(['exists_with_different_pending_id']);
  });

  test('content under a known id: the flags, the pending id, the amount', () => {
    const ledger = held();
    ledger.do(post({ id: 'p', to: 'hold' }));
    const results = ledger.results(
      voids({ id: 'p', to: 'hold' }),
      post({ id: 'p', to: 'fund' }),
      post({ id: 'p', to: 'hold', from: 'bob' }),
      post({ id: 'p', to: 'hold', amount: '3' }),
      post({ id: 'p', to: 'hold', amount: '4', from: 'alice' }),
      pending({ id: 'hold', from: 'alice', to: 'bob', amount: '4', timeoutMs: 5 }),
    );
    expect(results).toEqual([
      'exists_with_different_flags',
      'exists_with_different_pending_id',
      'exists_with_different_debit_account',
      'exists_with_different_amount',
      'ok',
      'exists_with_different_timeout',
    ]);
  });
});

describe('a timeout', () => {
  test('counts from the time of the batch; from then on nothing can be posted or voided, whatever the log says yet', () => {
    const ledger = held(1);
    const expiresAt = ledger.time + 1000;
    expect(ledger.state.reader.nextExpiry()).toBe(expiresAt);
    expect([expiresAt - 1, expiresAt].map((time) => ledger.state.reader.holdsDue(time, 9))).toEqual([0, 1]);
    // The next batch is exactly then.
    expect(ledger.results(post({ id: 'p', to: 'hold' }), voids({ id: 'v', to: 'hold' }))).toEqual([
      'pending_transfer_expired',
      'pending_transfer_expired',
    ]);
    expect(ledger.balance('alice').available).toBe(600n);
    expect(ledger.do(EXPIRE, EXPIRE)).toMatchObject([
      { result: 0, effect: 'released', hold: 1, amount: 400n, amountMoved: 0n, debitHandle: 2, creditHandle: 3 },
      { result: 26, hold: 0 },
    ]);
    expect(ledger.balance('alice')).toMatchObject({ ...NOTHING, available: 1000n });
    expect(ledger.results(post({ id: 'p', to: 'hold' }))).toEqual(['pending_transfer_expired']);
    expect(ledger.state.reader.transferById({ kind: 'text', text: 'hold' })?.hold).toMatchObject({ status: 'expired' });
    ledger.state.assertInvariants();
  });

  test('one microsecond before it a post is in time', () => {
    const ledger = held(2);
    ledger.wait(999);
    expect(ledger.results(post({ id: 'p', to: 'hold' }))).toEqual(['ok']);
    ledger.wait(10);
    expect(ledger.results(EXPIRE)).toEqual(['pending_transfer_not_found']);
    expect(ledger.state.reader.nextExpiry()).toBeUndefined();
  });

  test('an expiry that comes too early does nothing', () => {
    const ledger = held(5);
    expect(ledger.results(EXPIRE)).toEqual(['pending_transfer_not_found']);
    expect(ledger.balance('alice').debitsPending).toBe(400n);
  });

  test('in order of expiry, then of creation, also after many were posted and after a snapshot', () => {
    const ledger = LedgerUnderTest.withAccounts('a');
    const many = Array.from({ length: 3000 }, (_, i) =>
      pending({ id: `h${i}`, from: 'bank', to: 'a', amount: 1n, timeoutMs: 1000 - ((i * 7) % 5) }),
    );
    ledger.do(...many);
    const posted = many.flatMap((_, i) => (i % 3 === 0 ? [] : [post({ id: `p${i}`, to: `h${i}` })]));
    ledger.do(...posted);
    ledger.do(
      ...Array.from({ length: 200 }, (_, i) =>
        pending({ id: `l${i}`, from: 'bank', to: 'a', amount: 1n, timeoutMs: 1 }),
      ),
    );
    expect(ledger.state.reader.holdsDue(ledger.time + 1000, 5000)).toBe(200);
    expect(ledger.state.reader.holdsDue(ledger.time + 2_000_000, 5000)).toBe(1200);
    expect(ledger.state.reader.holdsDue(ledger.time + 2_000_000, 7)).toBe(7);
    ledger.wait(2_000_000);
    const rows = ledger.do(...Array.from({ length: 1201 }, () => EXPIRE));
    const numbers = rows.slice(0, -1).map((row) => row.hold);
    const expiry = (hold: number): number => ledger.state.reader.hold(hold)?.expiresAt ?? 0;
    expect(numbers).toEqual([...numbers].sort((a, b) => expiry(a) - expiry(b) || a - b));
    expect(rows.at(-1)?.result).toBe(26);
    expect(ledger.balance('bank').debitsPending).toBe(0n);
    expect(ledger.replayed(9).hash()).toBe(ledger.state.hash());
  });
});
