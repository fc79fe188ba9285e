/** Holds the rows of one table against those that the log has, both in the order of their offsets: a page of them is in memory. */
import { type Expected } from './compare-text';
import { type Queries } from './database';
import { type Differences } from './differences';

/** Rows that are fetched at a time. */
const PAGE = 2_000;

export interface ComparedTable {
  /** What a row of it is, for sentences. */
  readonly what: string;
  /** Of the cursor: one of each is open at a time. */
  readonly name: string;
  /** Names of the columns, behind the offset. */
  readonly columns: readonly string[];
  /** `SELECT …`: the offset, then `columns`; without conditions and order. */
  readonly select: string;
  /** The partition and the offset in it. */
  readonly partition: string;
  readonly offset: string;
}

export interface ExpectedRow {
  readonly offset: number;
  /** As {@link ComparedTable.columns}. */
  readonly values: readonly Expected[];
}

type FoundRow = readonly (string | null)[];

export class TableComparison {
  private page: readonly FoundRow[] = [];
  private next = 0;
  private isLastPage = false;

  private constructor(
    private readonly queries: Queries,
    private readonly table: ComparedTable,
    private readonly differences: Differences,
  ) {}

  /** @param from the first offset that is compared; @param queries of the transaction that the cursor lives in */
  static async open(
    queries: Queries,
    table: ComparedTable,
    group: number,
    from: number,
    differences: Differences,
  ): Promise<TableComparison> {
    const { name, offset, partition, select } = table;
    await queries.query(
      `DECLARE ${name} NO SCROLL CURSOR FOR ${select}
        WHERE ${partition} = ${group} AND ${offset} >= ${from} ORDER BY ${offset}`,
    );
    return new TableComparison(queries, table, differences);
  }

  /** The rows that come next, ascending by offset. */
  async expect(rows: readonly ExpectedRow[]): Promise<void> {
    for (const row of rows) {
      let found = this.peek() ?? (await this.fetch());
      for (; found !== undefined && Number(found[0]) < row.offset; found = this.peek() ?? (await this.fetch())) {
        this.tooMuch(found);
      }
      if (found === undefined || Number(found[0]) > row.offset) {
        this.differences.add(`The ${this.table.what} at offset ${row.offset} is missing in the rows; the log has it.`);
        continue;
      }
      this.next++;
      this.compare(found, row);
    }
  }

  /** After the last one. */
  async end(): Promise<void> {
    for (let found = await this.fetch(); found !== undefined; found = await this.fetch()) this.tooMuch(found);
    await this.queries.query(`CLOSE ${this.table.name}`);
  }

  private compare(found: FoundRow, { offset, values }: ExpectedRow): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      const there = found[i + 1] ?? null;
      if (value === there || value === undefined) continue;
      this.differences.add(
        `The ${this.table.what} at offset ${offset} has ${this.table.columns[i]} ${quoted(there)} in the rows; the log has ${quoted(value)}.`,
      );
    }
  }

  private tooMuch(found: FoundRow): void {
    this.next++;
    this.differences.add(`The rows have a ${this.table.what} at offset ${found[0]}; the log has none there.`);
  }

  private peek(): FoundRow | undefined {
    return this.page[this.next];
  }

  private async fetch(): Promise<FoundRow | undefined> {
    if (this.next < this.page.length || this.isLastPage) return this.peek();
    const { rows } = await this.queries.table(`FETCH FORWARD ${PAGE} FROM ${this.table.name}`);
    this.page = rows;
    this.next = 0;
    this.isLastPage = rows.length < PAGE;
    return this.peek();
  }
}

/** Characters of a value that a sentence shows. */
const SHOWN = 200;

function quoted(value: string | null): string {
  if (value === null) return 'null';
  return value.length > SHOWN ? `${value.slice(0, SHOWN)}… (${value.length} characters)` : value || '""';
}
