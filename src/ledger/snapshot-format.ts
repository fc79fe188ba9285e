/**
 * The snapshot of a ledger's state: frames, each a 4-byte kind, a 4-byte length and so many bytes, all little-endian, in the
 * order of the kinds. Rows are as they lie in memory. Indexes are not in it: they are made anew from the rows.
 *
 * ```
 * HEAD 1       "LNST", version, offset, time, counts, rules, tallies   one frame
 * LEDGER 2     one frame a ledger
 * LIMITS 3, HOT 4, COLD 5, ARENA 6, TRANSFERS 7, HOLDS 8, REVERSALS 9, GROUPS 10
 *                                               one frame a page; only the last page of a kind is not full
 * EXTRAS 12    behind TRANSFERS: what these have beyond their rows, as far as the rows say how long it is, one behind the
 *              other; a frame holds whole entries
 * END 11       empty: what comes before it is complete
 * ```
 * TRANSFERS begins with the first row that is not in the archive of rows: the snapshot says how many are, and whoever keeps it
 * keeps those beside it (docs/internals/ids.md).
 *
 * Against rot and truncation the file that holds it is checked as a whole; here only the form is.
 */
import { type LedgerEntry } from './ledger-table';
import { RESULT_CODE_COUNT } from './result-codes';
import { type Tables } from './tables';

export const FrameKind = {
  HEAD: 1,
  LEDGER: 2,
  LIMITS: 3,
  HOT: 4,
  COLD: 5,
  ARENA: 6,
  TRANSFERS: 7,
  HOLDS: 8,
  REVERSALS: 9,
  GROUPS: 10,
  END: 11,
  EXTRAS: 12,
} as const;

/** The place of a kind in the order. */
export function frameOrder(kind: number): number {
  return kind === FrameKind.EXTRAS ? FrameKind.TRANSFERS + 0.5 : kind;
}

export const FRAME_HEADER_BYTES = 8;
/** No page is larger. */
export const MAX_FRAME_BYTES = 2 << 20;

const MAGIC = 0x54534e4c;
const VERSION = 4;
/** Of a state under the first rules: all extras are in the arena. Its hash begins with this number, too. */
const WITHOUT_EXTRAS = 3;
/** Had no accounts in the rows of holds, and no archive. */
const OLDEST_VERSION = 2;
/** Before the tallies. */
const HEAD_BYTES = 96;
/** Before there were extras. */
const OLD_HEAD_BYTES = 88;

/** Bytes that are not a snapshot of a ledger's state, or not one that this version can read. */
export class SnapshotFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SnapshotFormatError';
  }
}

/** How many rows each table has; what says when a snapshot is complete. */
export interface SnapshotCounts {
  readonly version: number;
  /** Rows of transfers that are in the archive, and so not in the snapshot. */
  readonly archived: number;
  readonly ledgers: number;
  readonly limits: number;
  /** Rows of the two account tables, row 0 included. */
  readonly accounts: number;
  readonly transfers: number;
  readonly arenaBytes: number;
  readonly holds: number;
  readonly reversals: number;
  readonly groups: number;
}

/**
 * The numbers of a state that are in no table. Also the first thing that the state's hash takes in, with 0 archived rows:
 * what is archived when is each node's own affair.
 */
export function encodeHead(tables: Tables, archived = 0): Buffer {
  const { lengthsFrom } = tables.transfers.extras;
  const version = lengthsFrom === Infinity ? WITHOUT_EXTRAS : VERSION;
  const bytes = headBytes(version);
  const head = Buffer.alloc(bytes + 8 * RESULT_CODE_COUNT);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(version, 4);
  if (version === VERSION) head.writeUInt32LE(lengthsFrom, OLD_HEAD_BYTES);
  writeInteger(head, tables.nextOffset, 8);
  writeInteger(head, tables.lastTime, 16);
  writeInteger(head, tables.replayed, 24);
  head.writeUInt32LE(tables.ledgers.count, 32);
  head.writeUInt32LE(tables.limits.rows.rows, 36);
  head.writeUInt32LE(tables.accounts.hot.rows, 40);
  head.writeUInt32LE(tables.transfers.rows.rows, 44);
  writeInteger(head, tables.arena.bytes, 48);
  head.writeUInt32LE(RESULT_CODE_COUNT, 56);
  // How many switches of rules there were: a snapshot that was written before there were any has 0 here, too.
  head.writeUInt32LE(tables.rulesVersion - 1, 60);
  head.writeUInt32LE(tables.holds.count, 80);
  head.writeUInt32LE(archived, 84);
  head.writeUInt32LE(tables.reversals.count, 64);
  head.writeUInt32LE(tables.groups.count, 68);
  writeInteger(head, tables.dedupAge, 72);
  tables.transfersByResult.forEach((count, result) => writeInteger(head, count, bytes + 8 * result));
  return head;
}

function headBytes(version: number): number {
  return version === VERSION ? HEAD_BYTES : OLD_HEAD_BYTES;
}

/** Sets what is in no table, and returns how many rows the tables will have. */
export function decodeHead(head: Buffer, tables: Tables): SnapshotCounts {
  if (head.length < OLD_HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) {
    throw new SnapshotFormatError('This is not a snapshot of a ledger: it does not begin as one.');
  }
  const version = head.readUInt32LE(4);
  const results = head.readUInt32LE(56);
  const isKnown = version >= OLDEST_VERSION && version <= VERSION;
  if (!isKnown || results > RESULT_CODE_COUNT || head.length !== headBytes(version) + 8 * results) {
    throw new SnapshotFormatError(
      `The snapshot has format version ${version} with ${results} results; this program reads versions ${OLDEST_VERSION} to ` +
        `${VERSION} with ${RESULT_CODE_COUNT} or fewer. Run the version that wrote it, or a newer one.`,
    );
  }
  tables.nextOffset = readInteger(head, 8);
  tables.lastTime = readInteger(head, 16);
  tables.replayed = readInteger(head, 24);
  tables.rulesVersion = head.readUInt32LE(60) + 1;
  tables.dedupAge = readInteger(head, 72);
  for (let result = 0; result < results; result++) {
    tables.transfersByResult[result] = readInteger(head, headBytes(version) + 8 * result);
  }
  if (version === VERSION) tables.transfers.extras.lengthsFrom = head.readUInt32LE(OLD_HEAD_BYTES);
  return {
    version,
    archived: head.readUInt32LE(84),
    ledgers: head.readUInt32LE(32),
    limits: head.readUInt32LE(36),
    accounts: head.readUInt32LE(40),
    transfers: head.readUInt32LE(44),
    arenaBytes: readInteger(head, 48),
    holds: head.readUInt32LE(80),
    reversals: head.readUInt32LE(64),
    groups: head.readUInt32LE(68),
  };
}

const AUTO_OPEN = 1;
const HALF_UP = 2;
const LEDGER_BYTES = 24;

export function encodeLedger(ledger: LedgerEntry): Buffer {
  const bytes = Buffer.alloc(LEDGER_BYTES + ledger.codeBytes.length);
  bytes.writeUInt8(ledger.scale, 0);
  bytes.writeUInt8((ledger.autoOpen ? AUTO_OPEN : 0) | (ledger.halfUp ? HALF_UP : 0), 1);
  bytes.writeUInt32LE(ledger.defaultLimits, 4);
  writeInteger(bytes, ledger.createdAt, 8);
  writeInteger(bytes, ledger.offset, 16);
  bytes.set(ledger.codeBytes, LEDGER_BYTES);
  return bytes;
}

export function decodeLedger(bytes: Buffer): Omit<LedgerEntry, 'number' | 'codeBytes'> {
  if (bytes.length <= LEDGER_BYTES) throw new SnapshotFormatError('A ledger in the snapshot is cut short.');
  const flags = bytes.readUInt8(1);
  return {
    code: bytes.toString('latin1', LEDGER_BYTES),
    scale: bytes.readUInt8(0),
    autoOpen: (flags & AUTO_OPEN) !== 0,
    halfUp: (flags & HALF_UP) !== 0,
    defaultLimits: bytes.readUInt32LE(4),
    createdAt: readInteger(bytes, 8),
    offset: readInteger(bytes, 16),
  };
}

function writeInteger(bytes: Buffer, value: number, at: number): void {
  bytes.writeBigInt64LE(BigInt(value), at);
}

function readInteger(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64LE(at));
}
