import { once } from 'node:events';
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { type Terminal } from './terminal';

export type Cell = string | number | boolean | bigint | undefined;

/** How results are printed: tables and plain lines for people, one JSON document a line for programs. */
export class Output {
  private readonly colors: ReturnType<typeof createColors>;

  constructor(
    private readonly terminal: Terminal,
    readonly json: boolean,
  ) {
    this.colors = createColors(terminal.colors && !json);
  }

  /** One thing with named values. */
  record(json: object, rows: readonly (readonly [string, Cell])[]): void {
    if (this.json) return this.document(json);
    const table = new Table({ ...this.style(), colAligns: ['left', 'left'] });
    for (const [name, value] of rows) table.push([this.colors.dim(name), text(value)]);
    this.line(trimmed(table));
  }

  /** Several things of one kind. */
  list(json: object, head: readonly string[], rows: readonly (readonly Cell[])[]): void {
    if (this.json) return this.document(json);
    const table = new Table({ ...this.style(), head: head.map((name) => this.colors.bold(name)) });
    for (const row of rows) table.push(row.map(text));
    this.line(trimmed(table));
  }

  /** A JSON document on a line of its own, whatever the mode. 64-bit integers are decimal strings. */
  document(value: object): void {
    this.line(json(value));
  }

  /**
   * As `document`, with one list in it that may be longer than what fits into memory: it is written as it comes.
   * @param rest what stands behind the list, asked for when it has come
   */
  async longDocument(
    head: object,
    name: string,
    pages: AsyncIterable<readonly object[]>,
    rest: () => object,
  ): Promise<void> {
    const { stdout } = this.terminal;
    stdout.write(`${json(head).slice(0, -1)},${JSON.stringify(name)}:[`);
    let before = '';
    for await (const page of pages) {
      if (page.length === 0) continue;
      if (!stdout.write(before + page.map(json).join(','))) await once(stdout, 'drain');
      before = ',';
    }
    const end = json(rest()).slice(1);
    this.line(end === '}' ? ']}' : `],${end}`);
  }

  line(line: string): void {
    this.terminal.stdout.write(`${line}\n`);
  }

  bytes(bytes: Buffer): void {
    this.terminal.stdout.write(bytes);
  }

  note(line: string): void {
    this.terminal.stderr.write(`${this.colors.dim(line)}\n`);
  }

  complain(line: string): void {
    this.terminal.stderr.write(`${this.colors.red('ledger:')} ${line}\n`);
  }

  private style(): ConstructorParameters<typeof Table>[0] {
    const none = Object.fromEntries(BORDERS.map((part) => [part, '']));
    return { chars: { ...none, middle: '  ' }, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } };
  }
}

const BORDERS = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];

/** Without the blanks that fill the last column. */
function trimmed(table: { toString(): string }): string {
  return table.toString().replace(/ +$/gm, '');
}

function json(value: object): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}

function text(cell: Cell): string {
  return cell === undefined ? '-' : String(cell);
}

/** Microseconds since the Unix epoch as a person reads them. */
export function timeText(microseconds: number): string {
  const fraction = String(microseconds % 1_000_000).padStart(6, '0');
  return new Date(Math.floor(microseconds / 1000)).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}
