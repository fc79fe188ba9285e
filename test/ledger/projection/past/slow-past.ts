/** The past, worked out the slow and obvious way: all outcomes are gone through for every question. */
import { formatMinor } from '../../../../src/ledger/amounts';
import { decodeCommand } from '../../../../src/ledger/command-codec';
import { type PastBalance } from '../../../../src/ledger/history';
import { type AccountView, type LedgerReader } from '../../../../src/ledger/reader';
import { resultName } from '../../../../src/ledger/result-codes';
import { payloadOf, readHeader } from '../../../../src/log/batch';
import { recordAt } from '../../../../src/log/chunk';
import { type Event, eventsOf, isTransferRow } from '../expected-transfers';
import { type History } from '../history';

export interface SlowEntry {
  readonly offset: number;
  readonly time: number;
  /** When it counts. */
  readonly counts: number;
  readonly debit: number;
  readonly credit: number;
  readonly moved: bigint;
  /** Of what is pending on both sides. */
  readonly pending: bigint;
  readonly result: string;
}

interface Totals {
  debits: bigint;
  credits: bigint;
  debitsPending: bigint;
  creditsPending: bigint;
}

export class SlowPast {
  readonly entries: readonly SlowEntry[];
  private readonly reader: LedgerReader;

  constructor(private readonly history: History) {
    this.reader = history.state.reader;
    const events = eventsOf(history, history.lastIndex).filter(isTransferRow);
    const dates = datesOf(history, new Set(events.map(({ offset }) => offset)));
    this.entries = events.map((event) => this.entryOf(event, dates.get(event.offset)));
  }

  /** Of an account, in one of the two orders. */
  of(handle: number, by: 'posting' | 'effective'): SlowEntry[] {
    return inOrder(
      this.entries.filter(({ debit, credit }) => debit === handle || credit === handle),
      by,
    );
  }

  balance(account: AccountView, counts: (entry: SlowEntry) => boolean): Totals & { readonly posted: bigint } {
    const sums: Totals = { debits: 0n, credits: 0n, debitsPending: 0n, creditsPending: 0n };
    for (const entry of this.entries.filter(counts)) {
      if (entry.debit === account.handle) {
        sums.debits += entry.moved;
        sums.debitsPending += entry.pending;
      }
      if (entry.credit === account.handle) {
        sums.credits += entry.moved;
        sums.creditsPending += entry.pending;
      }
    }
    return { ...sums, posted: sums.credits - sums.debits };
  }

  /** As of posting, with the lower limit that a replay up to there has; undefined where the account was not open. */
  balanceAtOffset(account: AccountView, offset: number, then: LedgerReader): PastBalance | undefined {
    const view = then.accountByHandle(account.handle);
    if (!view) return undefined;
    const text = (minor: bigint): string => formatMinor(minor, account.ledger.scale);
    const sums = this.balance(account, (entry) => entry.offset <= offset);
    const { minBalance } = view;
    return {
      ...{ debitsPosted: text(sums.debits), creditsPosted: text(sums.credits) },
      ...{ debitsPending: text(sums.debitsPending), creditsPending: text(sums.creditsPending) },
      posted: text(sums.posted),
      available: minBalance === undefined ? null : text(sums.posted - sums.debitsPending - minBalance),
    };
  }

  /** The state after the last whole batch up to an offset, and that offset. */
  replayTo(index: number): { readonly offset: number; readonly reader: LedgerReader } {
    const state = this.history.stateAt(index);
    return { offset: state.nextOffset - 1, reader: state.reader };
  }

  private entryOf({ offset, time, outcome }: Event, effective: number | undefined): SlowEntry {
    const { amount, amountMoved, creditHandle, debitHandle, effect, hold, result } = outcome;
    const held = effect === 'held' ? amount : 0n;
    const ends = effect === 'posted' || effect === 'posted_part' || effect === 'released';
    const released = ends ? (this.reader.hold(hold)?.amount ?? 0n) : 0n;
    return {
      ...{ offset, time, counts: effective ?? time, debit: debitHandle, credit: creditHandle },
      ...{ moved: amountMoved, pending: held - released, result: resultName(result) },
    };
  }
}

export function inOrder(entries: readonly SlowEntry[], by: 'posting' | 'effective'): SlowEntry[] {
  return [...entries].sort((a, b) => (by === 'posting' ? 0 : a.counts - b.counts) || a.offset - b.offset);
}

function datesOf(history: History, offsets: ReadonlySet<number>): Map<number, number> {
  const dates = new Map<number, number>();
  for (const { batch, outcomes } of history.batches) {
    const { baseOffset } = readHeader(batch);
    for (let ordinal = 0; ordinal < outcomes.length / 64; ordinal++) {
      if (!offsets.has(baseOffset + ordinal)) continue;
      const record = recordAt(payloadOf(batch), ordinal);
      const command = record?.width === 0 ? decodeCommand(record.value) : undefined;
      const isTransfer = command?.kind === 'transfer' || command?.kind === 'refer';
      if (isTransfer && command.effectiveTime !== undefined) dates.set(baseOffset + ordinal, command.effectiveTime);
    }
  }
  return dates;
}
