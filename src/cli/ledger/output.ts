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
    this.line(JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)));
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

function text(cell: Cell): string {
  return cell === undefined ? '-' : String(cell);
}

/** Microseconds since the Unix epoch as a person reads them. */
export function timeText(microseconds: number): string {
  const fraction = String(microseconds % 1_000_000).padStart(6, '0');
  return new Date(Math.floor(microseconds / 1000)).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}
