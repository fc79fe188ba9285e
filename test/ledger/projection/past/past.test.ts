import { formatMinor } from '../../../../src/ledger/amounts';
import {
  type HistoryQuestion,
  type PastTransfer,
  type TransfersAnswer,
  type TransfersQuestion,
} from '../../../../src/ledger/history';
import { PastDesk } from '../../../../src/ledger/projection/past/past-desk';
import { PastEmbedded } from '../../../../src/ledger/projection/past/past-embedded';
import { PastServer } from '../../../../src/ledger/projection/past/past-server';
import { type AccountView } from '../../../../src/ledger/reader';
import { KINDS, makePlace, type TestPlace } from '../databases';
import { RunningProjector } from '../running-projector';
import { type Event, eventsOf, isTransferRow } from '../expected-transfers';
import { DatedHistory } from './dated-history';
import { inOrder, type SlowEntry, SlowPast } from './slow-past';

const SEED = Number(process.env['LEDGER_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const REPEAT = `LEDGER_TEST_SEED=${SEED} npm test -- test/ledger/projection/past/past.test.ts`;
const MINUTES = 240_000;
const PATIENCE = 60_000;
const BATCHES = 60;
/** Points in time that every account is asked about. */
const ASKED = 12;

describe.each(KINDS)(`the past in %s (${REPEAT})`, (kind) => {
  let place: TestPlace;
  let projector: RunningProjector;
  let desk: PastDesk;
  let close: () => Promise<void>;
  const history = new DatedHistory(SEED);
  let past: SlowPast;
  let accounts: readonly AccountView[];

  function ask<Q extends HistoryQuestion>(question: Q, index = history.lastIndex): ReturnType<typeof desk.ask<Q>> {
    return desk.ask(question, { index, offset: -1 }, PATIENCE);
  }

  const list = (question: Partial<TransfersQuestion>): Promise<TransfersAnswer> =>
    ask({ kind: 'transfers', by: 'posting', limit: 1000, ...question });

  /** All pages, each asked for with the place where the one before ended. */
  async function pages(question: Partial<TransfersQuestion>, onPage?: () => void): Promise<PastTransfer[]> {
    const all: PastTransfer[] = [];
    let page = await list(question);
    for (;;) {
      all.push(...page.transfers);
      if (!page.next) return all;
      onPage?.();
      page = await list({ ...question, after: { asOf: page.asOf, place: page.next } });
    }
  }

  beforeAll(async () => {
    place = await makePlace(kind);
    // Chance lets no hold expire in some histories, and expiries are to be looked for.
    const isExpiry = (event: Event) => event.kind === 'expire_hold' && isTransferRow(event);
    do history.grow(BATCHES);
    while (!eventsOf(history, history.lastIndex).some(isExpiry) && history.lastIndex < 20 * BATCHES);
    past = new SlowPast(history);
    accounts = history.state.reader.accountsFrom(1, Number.MAX_SAFE_INTEGER);
    const embedded = new PastEmbedded();
    const database = place.target.kind === 'postgres' ? new PastServer(place.target.url) : embedded;
    const opened = async (): ReturnType<TestPlace['open']> => {
      const own = await place.open();
      embedded.use(own);
      return own;
    };
    projector = new RunningProjector({ ...place, open: opened }, history);
    desk = new PastDesk(database, 0, () => performance.now());
    close = () => database.close();
    await projector.reaches(history.lastIndex);
  }, MINUTES);

  afterAll(async () => {
    await close();
    await projector.stop();
    await place.remove();
  }, MINUTES);

  const points = (): number[] =>
    Array.from({ length: ASKED }, (_, i) => Math.max(1, Math.floor((history.lastIndex * (i + 1)) / ASKED)));

  test(
    'knows the balance of every account after any record, as a replay up to there has it',
    async () => {
      for (const index of points()) {
        const { offset, reader } = past.replayTo(index);
        for (const account of accounts) {
          const answer = await ask({ kind: 'balance', account: account.handle, at: { offset } });
          expect(answer.offset).toBe(offset);
          expect(answer.balance).toEqual(past.balanceAtOffset(account, offset, reader));
        }
      }
    },
    MINUTES,
  );

  test(
    'knows it at any time of the ledger: the instant of a batch is within, the one before is not',
    async () => {
      const alice = history.state.reader.account('alice')!;
      for (const { time, offset } of past.entries.filter((_, i) => i % 40 === 0)) {
        const at = await ask({ kind: 'balance', account: alice.handle, at: { time, by: 'posting' } });
        const before = await ask({ kind: 'balance', account: alice.handle, at: { time: time - 1, by: 'posting' } });
        expect(at.offset).toBeGreaterThanOrEqual(offset);
        expect(before.offset).toBeLessThan(offset);
        const posted = past.balance(alice, (entry) => entry.time <= time).posted;
        expect(at.balance?.posted).toBe(formatMinor(posted, 2));
      }
    },
    MINUTES,
  );

  test(
    'knows it at any time by which transfers count',
    async () => {
      for (const name of ['alice', 'bank']) {
        const account = history.state.reader.account(name)!;
        const times = past.of(account.handle, 'effective').map(({ counts }) => counts);
        const asked = times.filter((_, i) => i % Math.ceil(times.length / ASKED) === 0);
        for (const time of [1, ...asked, ...asked.map((each) => each - 1), 2 ** 52]) {
          const answer = await ask({ kind: 'balance', account: account.handle, at: { time, by: 'effective' } });
          const sums = past.balance(account, (entry) => entry.counts <= time);
          expect([time, answer.balance]).toEqual([
            time,
            {
              ...{ debitsPosted: formatMinor(sums.debits, 2), creditsPosted: formatMinor(sums.credits, 2) },
              ...{ debitsPending: null, creditsPending: null, posted: formatMinor(sums.posted, 2), available: null },
            },
          ]);
        }
      }
    },
    MINUTES,
  );

  const shown = (transfers: readonly PastTransfer[]): object[] =>
    transfers.map(({ offset, timestamp, moved, result, debitHandle, creditHandle }) => ({
      ...{ offset, timestamp, moved, result, debitHandle, creditHandle },
    }));

  const scaleOf = (entry: SlowEntry): number =>
    history.state.reader.accountByHandle(entry.debit || entry.credit)?.ledger.scale ?? 0;

  const told = (entries: readonly SlowEntry[]): object[] =>
    entries.map((entry) => ({
      ...{ offset: entry.offset, timestamp: entry.time, result: entry.result },
      ...{ debitHandle: entry.debit, creditHandle: entry.credit },
      moved: formatMinor(entry.moved, entry.moved === 0n ? (movedScale.get(entry.offset) ?? 0) : scaleOf(entry)),
    }));

  /** Of what moved nothing the scale does not show in the model: a refusal may not have come to a ledger. */
  const movedScale = new Map<number, number>();

  test.each(['posting', 'effective'] as const)(
    'lists every transfer by %s time, in pages of any size',
    async (by) => {
      const all = await pages({ by });
      for (const { offset, moved } of all) movedScale.set(offset, moved.split('.')[1]?.length ?? 0);
      expect(shown(all)).toEqual(told(inOrder(past.entries, by)));
      expect(await pages({ by, limit: 37 })).toEqual(all);
      for (const transfer of all.filter(({ result }) => result === 'ok')) {
        const { reader } = history.state;
        expect(transfer.debitAccount).toBe(reader.accountByHandle(transfer.debitHandle)?.name);
      }
    },
    MINUTES,
  );

  test.each(['posting', 'effective'] as const)(
    'a statement by %s time runs from its opening to its closing balance',
    async (by) => {
      for (const name of ['alice', 'bank', 'bob', 'USD 3']) {
        const account = history.state.reader.account(name);
        if (!account) continue;
        const entries = past.of(account.handle, by).filter(({ result }) => result === 'ok');
        const { fromTime, toTime } = middleOf(entries, by);
        const question = { by, account: account.handle, results: ['ok'], fromTime, toTime, limit: 11 };
        const first = await list(question);
        const within = ({ counts, time }: SlowEntry): boolean => {
          const when = by === 'posting' ? time : counts;
          return when >= fromTime && when < toTime;
        };
        const before = (end: number) => (entry: SlowEntry) => (by === 'posting' ? entry.time : entry.counts) < end;
        const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
        expect(first.opening?.posted).toBe(text(past.balance(account, before(fromTime)).posted));
        expect(first.closing?.posted).toBe(text(past.balance(account, before(toTime)).posted));
        let running = past.balance(account, before(fromTime)).posted;
        const expected = entries.filter(within).map((entry) => {
          const change = entry.debit === account.handle ? -entry.moved : entry.moved;
          running += change;
          const side = entry.debit === account.handle ? 'debit' : 'credit';
          return { side, change: text(change), pendingChange: text(entry.pending), balance: text(running) };
        });
        expect((await pages(question)).map(({ entry }) => entry)).toEqual(expected);
      }
    },
    MINUTES,
  );

  test(
    'filters by side, kind, result, code, amount, ledger, ids and offsets, one by one and together',
    async () => {
      const all = await pages({});
      const alice = history.state.reader.account('alice')!.handle;
      const expired = all.filter(({ hold }) => hold?.status === 'expired').map(({ id }) => id);
      const expiries = all.filter(({ kind }) => kind === 'expiry').map(({ refersTo }) => refersTo);
      expect(expired).not.toEqual([]);
      expect(expiries.sort()).toEqual(expired.sort());
      const amount = ({ balancing, result, moved, amount: asked, hold }: PastTransfer): number =>
        Number(balancing && result === 'ok' ? Number(moved) + Number(hold?.amount ?? 0) : asked || 'NaN');
      const ids = all.filter((_, i) => i % 17 === 0).map(({ id }) => id);
      const cases: [Partial<TransfersQuestion>, (transfer: PastTransfer) => boolean][] = [
        [{ account: alice, side: 'debit' }, ({ debitHandle }) => debitHandle === alice],
        [{ account: alice, side: 'credit' }, ({ creditHandle }) => creditHandle === alice],
        [{ kinds: ['post', 'expiry', 'reversal'] }, (t) => ['post', 'expiry', 'reversal'].includes(t.kind)],
        [{ results: ['insufficient_funds'] }, ({ result }) => result === 'insufficient_funds'],
        [{ codes: [1, 2 ** 32 - 1] }, ({ code }) => code === 1 || code === 2 ** 32 - 1],
        // Of other refusals it may not be known at which scale they were.
        [
          { minAmount: '12.5', maxAmount: '40', results: ['ok', 'insufficient_funds'] },
          (t) => amount(t) >= 12.5 && amount(t) <= 40 && ['ok', 'insufficient_funds'].includes(t.result),
        ],
        [{ ledger: 'POINTS' }, (t) => t.ledger === 'POINTS'],
        [{ ids }, (t) => t.id !== '' && ids.includes(t.id)],
        [{ fromOffset: 100, toOffset: 300 }, ({ offset }) => offset >= 100 && offset < 300],
        [
          { ids, account: alice, results: ['ok'], side: 'credit' },
          (t) => ids.includes(t.id) && t.creditHandle === alice && t.result === 'ok',
        ],
      ];
      for (const [question, passes] of cases) {
        const found = await pages({ ...question, limit: 29 });
        const offsets = (transfers: readonly PastTransfer[]): number[] => transfers.map(({ offset }) => offset);
        expect([question, offsets(found)]).toEqual([question, offsets(all.filter(passes))]);
      }
      const dated = await pages({ ids: ids.slice(0, 20), by: 'effective', limit: 3 });
      expect(dated.map(({ id }) => id).sort()).toEqual(
        all
          .filter(({ id }) => ids.slice(0, 20).includes(id))
          .map(({ id }) => id)
          .sort(),
      );
    },
    MINUTES,
  );

  test(
    'pages stay as they were while records come, and what the rows do not reflect yet is refused in time',
    async () => {
      const bank = history.state.reader.account('bank')!.handle;
      for (const question of [{ limit: 50 }, { account: bank, limit: 20, by: 'effective' as const }]) {
        const before = await pages(question);
        const meanwhile = await pages(question, () => history.grow(1));
        expect(meanwhile).toEqual(before);
        await projector.reaches(history.lastIndex);
      }
      const ahead = desk.ask(
        { kind: 'balance', account: bank, at: { offset: 1 } },
        { index: history.lastIndex + 1, offset: -1 },
        200,
      );
      await expect(ahead).rejects.toMatchObject({ reason: 'BEHIND' });
    },
    MINUTES,
  );
});

function middleOf(entries: readonly SlowEntry[], by: 'posting' | 'effective'): { fromTime: number; toTime: number } {
  const at = (share: number): number => {
    const entry = entries[Math.floor(entries.length * share)];
    return entry === undefined ? 1 : by === 'posting' ? entry.time : entry.counts;
  };
  return { fromTime: at(0.25), toTime: at(0.75) };
}
