import { randomBytes } from 'node:crypto';
import { LedgerClient } from '../../client';
import { PACKED_ROW_BYTES, writePackedRow } from '../../ledger/packed-rows';
import { runClosedLoop, type LoadResult } from './closed-loop';

const LEDGER = 'BENCH';
const OPEN_AT_ONCE = 1_000;
/** Numbers at the end of an id; the run's own prefix is before them. */
const COUNTER_HEX_DIGITS = 16;
const VALUE_BYTES = 128;

export interface WorkloadOptions {
  readonly addresses: readonly string[];
  /** Accounts that money moves between. */
  readonly accounts: number;
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

export interface PackedLoad {
  readonly rowsPerBatch: number;
  /** Clients with a stream each. */
  readonly streams: number;
  /** Batches under way in all. */
  readonly inFlight: number;
  readonly seconds: number;
  /** Whether one account pays all of it; where nothing is said, each pays as often as any other. */
  readonly hot?: boolean;
}

/**
 * Load on a running cluster: transfers between accounts of a ledger of its own, without limits, so that all of them are
 * done. Ids are the random prefix of this run and a counter: no run repeats another's, and a run repeats itself never.
 */
export class Workload {
  private readonly prefix = randomBytes(8);
  private readonly names: string[];
  private handles: bigint[] = [];
  private counter = 0;

  private constructor(
    private readonly options: WorkloadOptions,
    private readonly client: LedgerClient,
  ) {
    const run = this.prefix.toString('hex');
    this.names = Array.from({ length: options.accounts }, (_, i) => `bench:${run}:${i}`);
  }

  /** Connects, and makes the ledger and the accounts. */
  static async prepare(options: WorkloadOptions): Promise<Workload> {
    const client = await LedgerClient.connect(connectionOf(options));
    const workload = new Workload(options, client);
    try {
      await workload.openAccounts();
      return workload;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private async openAccounts(): Promise<void> {
    const [ledger] = await this.client.createLedgers([{ code: LEDGER, scale: 2, defaultMinBalance: null }]);
    if (ledger?.result !== 'ok') throw new Error(`The ledger ${LEDGER} cannot be used: ${ledger?.message}`);
    for (let at = 0; at < this.names.length; at += OPEN_AT_ONCE) {
      const names = this.names.slice(at, at + OPEN_AT_ONCE);
      const opened = await this.client.openAccounts(names.map((name) => ({ name, ledger: LEDGER })));
      const refused = opened.find((account) => account.result !== 'ok');
      if (refused) throw new Error(`An account could not be opened: ${refused.result}: ${refused.message}`);
      this.handles.push(...opened.map((account) => account.handle));
    }
  }

  /** Single transfers, so many in flight, each a call of its own. */
  singleTransfers(inFlight: number, seconds: number): Promise<LoadResult> {
    const { client, names } = this;
    const ledger = LEDGER;
    return this.run(inFlight, seconds, async () => {
      const n = this.counter++;
      const debitAccount = names[n % names.length]!;
      const creditAccount = names[(n * 7 + 1) % names.length]!;
      const other = debitAccount === creditAccount ? names[(n + 1) % names.length]! : creditAccount;
      const transfer = { id: this.idText(n), debitAccount, creditAccount: other, amount: '0.01', ledger };
      const outcome = await client.transfer(transfer);
      if (outcome.result !== 'ok' || outcome.replayed) throw new Error(`A transfer was refused: ${outcome.result}.`);
      return 1;
    });
  }

  /** Packed rows in batches, over several clients with a stream each, so many batches in flight in all. */
  async packedRows({ rowsPerBatch, streams, inFlight, seconds, hot = false }: PackedLoad): Promise<LoadResult> {
    const clients: LedgerClient[] = [];
    try {
      for (let i = 0; i < streams; i++) {
        clients.push(await LedgerClient.connect({ ...connectionOf(this.options), rowBatchesInFlight: inFlight }));
      }
      return await this.run(inFlight, seconds, async (n) => {
        const outcome = await clients[n % clients.length]!.submitRows(this.rows(rowsPerBatch, hot));
        const odd = outcome.refused[0] ?? outcome.repeats[0];
        if (odd)
          throw new Error(`Row ${odd.row} was not simply done (result ${odd.result}, replayed ${odd.replayed}).`);
        return outcome.count;
      });
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  }

  /** Values of 128 bytes, each a Produce call of its own. */
  produce(inFlight: number, seconds: number): Promise<LoadResult> {
    const value = randomBytes(VALUE_BYTES);
    return this.run(inFlight, seconds, async () => {
      await this.client.produce(value);
      return 1;
    });
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private run(inFlight: number, seconds: number, call: (n: number) => Promise<number>): Promise<LoadResult> {
    return runClosedLoop({ inFlight, seconds, signal: this.options.signal, call });
  }

  private rows(count: number, hot: boolean): Buffer {
    const rows = Buffer.allocUnsafe(count * PACKED_ROW_BYTES);
    const { handles } = this;
    const id = Buffer.allocUnsafe(16);
    this.prefix.copy(id);
    // Rows differ from one another in the id and the accounts only; the rest is copied.
    writePackedRow(rows, 0, {
      ...{ id, debitHandle: 1, creditHandle: 1, amount: 1n, userData: 0n, code: 0, flags: 0 },
    });
    for (let at = PACKED_ROW_BYTES; at < rows.length; at += PACKED_ROW_BYTES) rows.copyWithin(at, 0, PACKED_ROW_BYTES);
    for (let at = 0; at < rows.length; at += PACKED_ROW_BYTES) {
      const n = this.counter++;
      const debit = hot ? 0 : n % handles.length;
      const credit = (debit + 1 + (n % (handles.length - 1))) % handles.length;
      rows.writeUInt32BE(Math.floor(n / 2 ** 32), at + 8);
      rows.writeUInt32BE(n >>> 0, at + 12);
      writeHandle(rows, at + 16, handles[debit]!);
      writeHandle(rows, at + 24, handles[credit]!);
    }
    return rows;
  }

  /** The same id that `rows` gives the n-th, as text. */
  private idText(n: number): string {
    const hex = this.prefix.toString('hex') + n.toString(16).padStart(COUNTER_HEX_DIGITS, '0');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}

function writeHandle(rows: Buffer, at: number, handle: bigint): void {
  rows.writeUInt32LE(Number(handle & 0xffff_ffffn), at);
  rows.writeUInt32LE(Number(handle >> 32n), at + 4);
}

function connectionOf({ addresses, timeoutMs }: WorkloadOptions): { addresses: readonly string[]; timeoutMs?: number } {
  return timeoutMs === undefined ? { addresses } : { addresses, timeoutMs };
}
