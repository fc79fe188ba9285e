/** A statement as CSV (RFC 4180), the same on every door: a line before it, one for each entry, one after it. */

export interface StatementLine {
  readonly offset: number;
  /** Microseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly effectiveTime: number;
  readonly id: string;
  readonly kind: string;
  readonly side: string;
  readonly otherAccount: string;
  readonly change: string;
  readonly pendingChange: string;
  /** Undefined: not known in this order. */
  readonly balance: string | undefined;
  readonly code: number;
  readonly userData: string;
}

const COLUMNS = [
  ...['offset', 'time', 'effective_time', 'id', 'kind', 'side', 'other_account', 'change', 'pending_change'],
  ...['balance', 'code', 'user_data'],
];
const MICROS_PER_MILLI = 1000;

export function csvHead(): string {
  return csvLine(COLUMNS);
}

export function csvEntry(line: StatementLine): string {
  const { offset, timestamp, effectiveTime, id, kind, side, otherAccount, change, pendingChange, balance } = line;
  return csvLine([
    ...[String(offset), utcText(timestamp), utcText(effectiveTime), id, kind, side, otherAccount],
    ...[change, pendingChange, balance ?? '', String(line.code), line.userData],
  ]);
}

/** @param kind `opening` or `closing` */
export function csvBalance(kind: string, posted: string): string {
  return csvLine(COLUMNS.map((column) => (column === 'kind' ? kind : column === 'balance' ? posted : '')));
}

/** Microseconds since the Unix epoch as RFC 3339 has it. */
export function utcText(micros: number): string {
  const fraction = String(micros % 1_000_000).padStart(6, '0');
  return new Date(Math.floor(micros / MICROS_PER_MILLI)).toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;
}
