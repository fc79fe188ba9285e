import { type Command, encodeCommand } from '../../src/ledger/command-codec';
import { LedgerState } from '../../src/ledger/state';
import { encodeRows, encodeValues } from '../../src/log/chunk';
import { encodePackedRows } from '../../src/ledger/packed-rows';
import { Operations } from './long-history/operations';
import {
  createLedger,
  LedgerUnderTest,
  linked,
  openAccount,
  packed,
  pending,
  post,
  reversal,
  transfer,
  update,
  uuid,
  voids,
} from './ledger-under-test';

const encoded = (commands: readonly Command[]): Buffer => encodeValues(1, commands.map(encodeCommand));

/** Everything that somebody can ask the state. */
function facts(state: LedgerState): unknown {
  const { reader } = state;
  const counts = reader.counts();
  const balances = Array.from({ length: counts.accounts }, (_, i) => reader.balance(i + 1));
  return { hash: state.hash(), counts, balances, next: state.nextOffset, expiry: reader.nextExpiry() };
}

/** Says what would be, and then does it: both must answer the same bytes, and show the same balances. */
function rehearseAndDo(ledger: LedgerUnderTest, commands: readonly Command[]): void {
  const payload = encoded(commands);
  const { state } = ledger;
  const before = facts(state);
  const said = state.rehearse(ledger.time + 1000, payload, (outcomes) => {
    const { accounts } = state.reader.counts();
    return { outcomes, balances: Array.from({ length: accounts }, (_, i) => state.reader.balance(i + 1)) };
  });
  expect(facts(state)).toEqual(before);
  ledger.apply(payload);
  expect(said.outcomes.equals(ledger.batches.at(-1)!.outcomes)).toBe(true);
  const { accounts } = state.reader.counts();
  expect(said.balances).toEqual(Array.from({ length: accounts }, (_, i) => state.reader.balance(i + 1)));
}

test('a random history of every kind: what was rehearsed left nothing, and is what then happened', () => {
  const operations = new Operations(20_261_125);
  const ledger = new LedgerUnderTest();
  const untouched = new LedgerUnderTest();
  for (const each of [ledger, untouched]) each.do(...operations.start());
  for (let i = 0; i < 150; i++) {
    const commands = operations.batch(40);
    const undoable = commands.every(({ kind }) => ['transfer', 'refer', 'open_account'].includes(kind));
    if (undoable) rehearseAndDo(ledger, commands);
    else ledger.do(...commands);
    untouched.do(...commands);
    if (i % 25 === 0) ledger.state.assertInvariants();
  }
  // A machine that never rehearsed answered the same all along, and is the same.
  expect(ledger.state.hash()).toBe(untouched.state.hash());
  ledger.batches.forEach(({ outcomes }, i) => expect(outcomes.equals(untouched.batches[i]!.outcomes)).toBe(true));
  ledger.state.assertInvariants();
  expect(LedgerState.restore(ledger.state.snapshot()).hash()).toBe(ledger.state.hash());
});

describe('what is made and undone', () => {
  let ledger: LedgerUnderTest;
  beforeEach(() => {
    ledger = LedgerUnderTest.withAccounts('alice', 'bob');
    ledger.do(
      createLedger('XTS', { autoOpen: true, min: undefined }),
      transfer({ id: 'fund', from: 'bank', to: 'alice', amount: '10' }),
      pending({ id: 'held', from: 'alice', to: 'bob', amount: '1', timeoutMs: 1_000_000 }),
    );
  });

  test('every kind in one rehearsal, each seeing those before it', () => {
    rehearseAndDo(ledger, [
      openAccount('carol', { min: '-3', max: '7.5', metadata: Buffer.from('m'), userData: 9n }),
      transfer({ id: 'to carol', from: 'alice', to: 'carol', amount: '7', metadata: Buffer.from('why') }),
      transfer({ id: 'too much', from: 'alice', to: 'carol', amount: '1' }),
      pending({ id: 'short', from: 'alice', to: 'bob', amount: '1', timeoutMs: 5 }),
      post({ id: 'part', to: 'held', amount: '0.4' }),
      voids({ id: 'let go', to: 'short' }),
      reversal({ id: 'back', to: 'to carol', amount: '2' }),
      transfer({ id: uuid(1), from: 'x', to: 'y', amount: '3', ledger: 'XTS' }),
      ...linked('done', transfer({ id: 'a', from: 'bank', to: 'bob', amount: '1' }), post({ id: 'b', to: 'held' })),
      ...linked('whole', transfer({ id: 'c', from: 'bank', to: 'bob', amount: '1' })),
      ...linked('whole', transfer({ id: 'c', from: 'bank', to: 'bob', amount: '1' })),
    ]);
    expect(ledger.posted('carol')).toBe(500n);
  });

  test('a hold that expires is not queued, and what is in the queue stays there', () => {
    const before = ledger.state.reader.nextExpiry();
    ledger.state.rehearse(
      ledger.time + 1,
      encoded([pending({ id: 'n', from: 'alice', to: 'bob', amount: '1', timeoutMs: 1 })]),
      () => expect(ledger.state.reader.balance(ledger.handle('alice'))!.debitsPending).toBe(200n),
    );
    expect(ledger.state.reader.nextExpiry()).toEqual(before);
    ledger.state.rehearse(ledger.time + 1, encoded([voids({ id: 'v', to: 'held' })]), () => undefined);
    expect(ledger.state.reader.nextExpiry()).toEqual(before);
  });

  test('the time is never before the last batch, and decides what has expired', () => {
    const result = (time: number): number =>
      ledger.state.rehearse(time, encoded([post({ id: 'p', to: 'held' })]), (outcomes) => outcomes.readUInt8(0));
    expect(result(0)).toBe(0);
    expect(result(ledger.time + 1_000_000_000)).not.toBe(0);
  });

  test('a snapshot that is being read shows nothing of it', () => {
    const hash = ledger.state.hash();
    const chunks: Buffer[] = [];
    for (const chunk of ledger.state.snapshot()) {
      chunks.push(chunk);
      const commands = [
        openAccount(`new ${chunks.length}`),
        transfer({ id: 'while read', from: 'alice', to: 'bob', amount: '2' }),
        post({ id: 'post while read', to: 'held' }),
      ];
      ledger.state.rehearse(0, encoded(commands), () => undefined);
    }
    expect(chunks.length).toBeGreaterThan(1);
    expect(LedgerState.restore(chunks).hash()).toBe(hash);
  });

  test('it is undone where who looks throws, too', () => {
    const before = facts(ledger.state);
    const commands = [openAccount('carol'), transfer({ id: 't', from: 'alice', to: 'carol', amount: '2' })];
    expect(() =>
      ledger.state.rehearse(0, encoded(commands), () => {
        throw new Error('looked away');
      }),
    ).toThrow('looked away');
    expect(facts(ledger.state)).toEqual(before);
    expect(ledger.results(...commands)).toEqual(['ok', 'ok']);
  });

  test.each([
    ['packed rows', encodeRows(encodePackedRows([packed(1, 1, 2, 1n)]))],
    ['a new ledger', encoded([createLedger('EUR')])],
    ['other limits', encoded([update('alice', { min: '-1' })])],
    ['an expiry', encoded([{ kind: 'expire_hold' }])],
  ])('%s cannot be rehearsed, and nothing comes of the try', (_, payload) => {
    const before = facts(ledger.state);
    expect(() => ledger.state.rehearse(0, payload, () => undefined)).toThrow(/can be rehearsed/);
    expect(facts(ledger.state)).toEqual(before);
  });
});
