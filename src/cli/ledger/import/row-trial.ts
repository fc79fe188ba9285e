import {
  type BalanceView,
  type DryRunInput,
  type DryRunOutcome,
  type DryRunStream,
  type LedgerClient,
  LedgerError,
  type ReadPosition,
  whyUnsendable,
} from '../../../client';
import { formatId, normaliseId } from '../../../ledger/identifiers';
import { type Unit } from './input-chunks';
import { type ImportRow } from './row-reader';
import { linkedFailed, malformed, rowBytes, type RowResult, type RowTaker } from './row-sender';

/** Of a request, as they are estimated from the text: the server takes 8,190 items and 1 MiB. */
const MAX_ROWS = 8190;
const MAX_BYTES = 640 * 1024;

/** What is tried with one request. */
interface Part {
  readonly units: Unit[];
  rows: number;
  bytes: number;
  /** Transactions in it: in an import each has a call of its own, so no request has one twice. */
  readonly transactions: Set<string>;
}

/**
 * Tries rows where RowSender sends them, with the same results. What fits one request is asked of a node's own state; more than
 * that of a copy, on which each part sees what the ones before it did.
 */
export class RowTrial implements RowTaker {
  private stream: DryRunStream | undefined;
  private whole: DryRunOutcome | undefined;

  constructor(private readonly client: LedgerClient) {}

  async take(units: readonly Unit[], isAll: boolean): Promise<RowResult[]> {
    const checked = units.map((unit) => ({ unit, refused: refusedHere(unit) }));
    const parts = partsOf(checked.filter(({ refused }) => refused === undefined).map(({ unit }) => unit));
    const tried: RowResult[] = [];
    for (const part of parts) tried.push(...(await this.tryPart(part, isAll && parts.length === 1)));
    let next = 0;
    return checked.flatMap(({ unit, refused }) => refused ?? tried.slice(next, (next += unit.rows.length)));
  }

  /** The state that it was decided on; undefined where nothing was tried. */
  get position(): ReadPosition | undefined {
    return this.whole?.position ?? this.stream?.position;
  }

  /** As they would be, of every account that was named. Nothing can be tried any more. */
  async *balances(): AsyncGenerator<readonly BalanceView[], void, undefined> {
    if (this.whole) yield this.whole.balances;
    if (this.stream) yield* this.stream.balances();
  }

  close(): void {
    this.stream?.cancel();
  }

  private async tryPart(part: Part, isAll: boolean): Promise<RowResult[]> {
    const rows = part.units.flatMap((unit) => unit.rows);
    try {
      const { accounts, transfers } = await this.ask(itemsOf(part), isAll);
      const answers = [...accounts, ...transfers];
      if (answers.length !== rows.length) {
        const message = `The server answered ${answers.length} results to ${rows.length} rows.`;
        throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', message);
      }
      return answers.map(({ result, message, replayed }, i) => ({
        ...{ row: rows[i] as ImportRow, result, message, replayed },
      }));
    } catch (error) {
      const isOfTransaction = part.units.length === 1 && part.transactions.size === 1;
      if (!isOfTransaction || !(error instanceof LedgerError) || error.code !== 'INVALID_ARGUMENT') throw error;
      const { message } = error;
      return rows.map((row) => ({ row, result: 'malformed_row', message, replayed: false }));
    }
  }

  private async ask(items: DryRunInput, isAll: boolean): Promise<Pick<DryRunOutcome, 'accounts' | 'transfers'>> {
    if (isAll && !this.stream) return (this.whole = await this.client.dryRun(items));
    this.stream ??= this.client.dryRunStream();
    return this.stream.send(items);
  }
}

/** What an import does not send: rows that cannot be read, and those beside them. */
function refusedHere({ transaction, rows }: Unit): RowResult[] | undefined {
  if (rows.some(({ fault }) => fault !== undefined)) {
    return rows.map((row) => (row.fault === undefined ? linkedFailed(row) : malformed(row)));
  }
  if (transaction !== '') return undefined;
  const whys = rows.map(({ transfer }) => (transfer ? whyUnsendable(transfer) : undefined));
  if (whys.every((why) => why === undefined)) return undefined;
  return rows.map((row, i) => ({ row, result: 'malformed_row', message: whys[i] ?? '', replayed: false }));
}

function partsOf(units: readonly Unit[]): Part[] {
  const parts: Part[] = [];
  let part: Part | undefined;
  for (const unit of units) {
    const bytes = unit.rows.reduce((sum, row) => sum + rowBytes(row), 0);
    const transaction = canonical(unit.transaction);
    const hasRoom =
      part !== undefined &&
      part.rows + unit.rows.length <= MAX_ROWS &&
      part.bytes + bytes <= MAX_BYTES &&
      !part.transactions.has(transaction);
    if (!part || !hasRoom) parts.push((part = { units: [], rows: 0, bytes: 0, transactions: new Set() }));
    part.units.push(unit);
    part.rows += unit.rows.length;
    part.bytes += bytes;
    if (transaction !== '') part.transactions.add(transaction);
  }
  return parts;
}

/** Two spellings of a UUID are one transaction. */
function canonical(transaction: string): string {
  const id = transaction === '' ? undefined : normaliseId(transaction);
  return id === undefined ? transaction : formatId(id);
}

function itemsOf({ units }: Part): DryRunInput {
  return {
    accounts: units.flatMap(({ rows }) => rows.flatMap(({ account }) => (account ? [account] : []))),
    transfers: units.flatMap(({ transaction, rows }) =>
      rows.flatMap(({ transfer }) => (transfer ? [{ ...transfer, transaction }] : [])),
    ),
  };
}
