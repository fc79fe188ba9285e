/** A page of transfers: walks along one index or several at once, in one order, and stops where the page is full. */
import { type ListPlace, type PastTransfer, type TransfersAnswer, type TransfersQuestion } from '../../history';
import { type TextRow } from '../database';
import { AFTER_ALL, balanceByEffect, balanceByPosting, type FoundBalance } from './balance-then';
import { type Bearings, bearingsOf } from './bearings';
import { type PastDatabase } from './past-database';
import { NO_TIME_AFTER } from './sql-parts';
import { effectOn, entryOf, transferOf } from './transfer-row';
import { placeOf, type Walk, windowOf } from './transfer-windows';

/** Rows that a walk looks at in one statement: few where nearly all pass the filters, more where few do. */
const FIRST_LOOK = 64;
const LONGEST_LOOK = 4_096;
/** Bytes of a page, about: a page of long metadata is a short one. */
const PAGE_BYTES = 1024 * 1024;
const ROW_BYTES = 400;

/** One walk of a page, with what it has found and how far it has looked. */
class Source {
  private rows: TextRow[] = [];
  private look: number;
  /** Everything up to here is in `rows` or was given; undefined: there is no more. */
  private seen: ListPlace | undefined;

  constructor(
    private readonly database: PastDatabase,
    private readonly group: number,
    private readonly walk: Walk,
    private readonly question: TransfersQuestion,
    { reflected, undated, until }: Bearings,
  ) {
    this.look = Math.max(FIRST_LOOK, question.limit + 1);
    const { fromTime = 0, toTime, after } = question;
    const dated = after?.place ?? { time: fromTime, offset: -1 };
    this.seen = walk.dated ? dated : { time: 0, offset: undated };
    this.bounds = { until: walk.dated ? toTime : until, reflected: reflected.offset };
  }

  private readonly bounds: { readonly until: number | undefined; readonly reflected: number };

  get head(): TextRow | undefined {
    return this.rows[0];
  }

  take(): void {
    this.rows.shift();
  }

  /** From then on its horizon is behind where the page began. */
  hasLooked = false;

  /** The place up to which nothing of it is missing; undefined: all of it is there. */
  get horizon(): ListPlace | undefined {
    return this.seen;
  }

  /** Looks further. Only while there is more. */
  async more(): Promise<void> {
    if (!this.seen) return;
    const size = { look: this.look, give: this.question.limit + 1 };
    const bounds = { ...this.bounds, after: this.seen };
    const window = await windowOf(this.database, this.group, this.walk, this.question, bounds, size);
    this.hasLooked = true;
    this.rows.push(...window.rows);
    this.seen = window.seen;
    if (window.rows.length < size.give) this.look = Math.min(LONGEST_LOOK, this.look * 4);
  }
}

/** @param isLate asked between two statements: then the page ends where it is */
export async function transfersThen(
  database: PastDatabase,
  group: number,
  question: TransfersQuestion,
  isLate: () => boolean,
): Promise<TransfersAnswer | undefined> {
  const bearings = await bearingsOf(database, group, question);
  if (!bearings) return undefined;
  const sources = walksOf(question).map((walk) => new Source(database, group, walk, question, bearings));
  const ends = await endsOf(database, group, question, bearings);
  const page = new Page(question, ends?.running);
  for (;;) {
    const lagging = firstToLook(sources, question);
    if (!lagging) {
      const next = earliestHead(sources, question);
      if (!next?.head || page.isFull) break;
      page.add(next.head);
      next.take();
    } else if (page.isFull || (sources.every((source) => source.hasLooked) && isLate())) {
      break;
    } else {
      await lagging.more();
    }
  }
  const next = page.isFull ? page.last : earliest(sources.flatMap((source) => source.horizon ?? []));
  const more = sources.some((source) => source.head !== undefined || source.horizon !== undefined);
  return {
    asOf: bearings.reflected,
    transfers: page.transfers,
    ...(more && next && { next }),
    ...(ends && { opening: ends.opening.balance, closing: ends.closing.balance }),
  };
}

class Page {
  readonly transfers: PastTransfer[] = [];
  last: ListPlace | undefined;
  private bytes = 0;

  /** @param running the posted balance before it, where the page adds up by itself */
  constructor(
    private readonly question: TransfersQuestion,
    private running: bigint | undefined,
  ) {}

  get isFull(): boolean {
    return this.transfers.length >= this.question.limit || this.bytes >= PAGE_BYTES;
  }

  add(row: TextRow): void {
    const { account, by } = this.question;
    const transfer = transferOf(row);
    this.last = placeOf(row, by);
    this.bytes += ROW_BYTES + transfer.metadata.length;
    if (account === undefined) {
      this.transfers.push(transfer);
      return;
    }
    const effect = effectOn(row, account);
    if (this.running !== undefined) this.running += effect.change;
    this.transfers.push({ ...transfer, entry: entryOf(effect, by === 'posting' ? effect.posted : this.running) });
  }
}

function walksOf({ account, by, ids, side }: TransfersQuestion): Walk[] {
  const sides = (['debit', 'credit'] as const).filter((name) => side === undefined || side === name);
  const along: Walk['along'][] = ids ? ['ids'] : account === undefined ? ['all'] : sides;
  const orders = by === 'posting' ? [false] : [false, true];
  return along.flatMap((name) => orders.map((dated) => ({ along: name, dated })));
}

/** The walk that must look further before anything can be given: another one's row may come after what it has not seen. */
function firstToLook(sources: readonly Source[], question: TransfersQuestion): Source | undefined {
  const head = earliestHead(sources, question)?.head;
  const upTo = head && placeOf(head, question.by);
  const short = sources.filter(({ head: own, horizon }) => !own && horizon && (!upTo || isBefore(horizon, upTo)));
  return short.reduce<Source | undefined>(
    (first, source) => (!first || isBefore(source.horizon!, first.horizon!) ? source : first),
    undefined,
  );
}

function earliestHead(sources: readonly Source[], { by }: TransfersQuestion): Source | undefined {
  const withHead = sources.filter((source) => source.head !== undefined);
  return withHead.reduce<Source | undefined>(
    (first, source) => (!first || isBefore(placeOf(source.head!, by), placeOf(first.head!, by)) ? source : first),
    undefined,
  );
}

function earliest(places: readonly ListPlace[]): ListPlace | undefined {
  return places.reduce<ListPlace | undefined>(
    (first, place) => (!first || isBefore(place, first) ? place : first),
    undefined,
  );
}

function isBefore(a: ListPlace, b: ListPlace): boolean {
  return a.time !== b.time ? a.time < b.time : a.offset < b.offset;
}

interface Ends {
  readonly opening: FoundBalance;
  readonly closing: FoundBalance;
  /** Before the page, where the page adds up. */
  readonly running: bigint | undefined;
}

/** Balances around a range, where nothing that moves money in it is left out. */
async function endsOf(
  database: PastDatabase,
  group: number,
  question: TransfersQuestion,
  { reflected, start, until }: Bearings,
): Promise<Ends | undefined> {
  const { account, after, by, fromTime = 0, toTime = NO_TIME_AFTER } = question;
  if (account === undefined || !isWhole(question)) return undefined;
  const upTo = reflected.offset;
  if (by === 'posting') {
    const opening = await balanceByPosting(database, group, account, { offset: start }, upTo);
    const closing = await balanceByPosting(database, group, account, { offset: Math.max(start, until ?? upTo) }, upTo);
    return opening && closing && { opening, closing, running: undefined };
  }
  const at = (place: ListPlace): Promise<FoundBalance | undefined> =>
    balanceByEffect(database, group, account, place, upTo);
  const opening = await at({ time: fromTime, offset: -1 });
  const last = question.toTime === undefined ? AFTER_ALL : -1;
  const closing = await at({ time: Math.max(fromTime, toTime), offset: last });
  const before = after ? await at(after.place) : opening;
  return opening && closing && before && { opening, closing, running: before.posted };
}

function isWhole({ side, ids, kinds, codes, minAmount, maxAmount, results, ledger }: TransfersQuestion): boolean {
  const filters = [side, ids, kinds, codes, minAmount, maxAmount, ledger];
  return filters.every((filter) => filter === undefined) && (results === undefined || results.includes('ok'));
}
