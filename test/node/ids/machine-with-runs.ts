import { type Command, encodeCommand } from '../../../src/ledger/command-codec';
import { encodeRulesVersion, RULES_VERSIONS } from '../../../src/ledger/rules-versions';
import { BatchKind, readHeader } from '../../../src/log/batch';
import { encodeValues } from '../../../src/log/chunk';
import { IdStore, type IdStoreOptions } from '../../../src/node/ids/id-store';
import { LedgerMachine } from '../../../src/node/ledger-machine';
import { type BatchChain } from '../../support/batch-chain';
import { FaultyFiles } from '../../support/faulty-files';
import { notFatal, recordedEvents } from '../recorded-events';

const FOLDER = '/ids';
const NOWHERE = { write: () => undefined, sync: async () => undefined };
/** As few as a run can have, and none of them stays in memory. */
export const SMALLEST = { runRows: 64, keptRows: 0 };

/** A ledger whose oldest rows are on a disk in memory. */
export class MachineWithRuns {
  readonly events = recordedEvents();

  private constructor(
    readonly files: FaultyFiles,
    readonly ids: IdStore,
    readonly machine: LedgerMachine,
  ) {}

  static async open(
    files = new FaultyFiles(),
    options: Pick<IdStoreOptions, 'runRows' | 'keptRows' | 'runExtras' | 'keptExtras'> = SMALLEST,
    seed = 7,
  ): Promise<MachineWithRuns> {
    const events = recordedEvents();
    const ids = await IdStore.open({ files, directory: FOLDER, seed, events, fatal: notFatal, ...options });
    return new MachineWithRuns(files, ids, new LedgerMachine(NOWHERE, seed, undefined, ids));
  }

  /** As the applier does it. */
  async apply(batch: Buffer): Promise<Buffer> {
    const header = readHeader(batch);
    await this.machine.prepare(batch, header);
    return this.machine.apply(batch, header);
  }

  /** All runs are written that can be, and their rows have left memory. */
  async settle(batches: BatchChain): Promise<Buffer[]> {
    const empty: Buffer[] = [];
    await this.ids.idle();
    while (this.machine.rowsInMemory >= SMALLEST.runRows) {
      const batch = batches.next({ count: 0, payload: Buffer.alloc(0) });
      empty.push(batch);
      await this.apply(batch);
      await this.ids.idle();
    }
    return empty;
  }

  /** A machine that was restored from a snapshot of this one, on the same disk. */
  async restored(nextOffset: number, seed = 8): Promise<MachineWithRuns> {
    const other = await MachineWithRuns.open(this.files, SMALLEST, seed);
    const attachments = this.machine.attachments();
    const chunks = [...this.machine.snapshot()].map((chunk) => Buffer.from(chunk));
    await other.machine.restore(streamed(chunks), { nextOffset, attachments });
    return other;
  }
}

/** The entry with which a new cluster begins, and an old one goes on when all of its members know the newest rules. */
export function newestRules(chain: BatchChain): Buffer {
  const payload = encodeRulesVersion(RULES_VERSIONS.length);
  return chain.next({ kind: BatchKind.Version, count: 0, payload });
}

export function plainMachine(): LedgerMachine {
  return new LedgerMachine(NOWHERE, 9);
}

export async function* streamed(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

export function batchOf(chain: BatchChain, commands: readonly Command[]): Buffer {
  return chain.next({ count: commands.length, payload: encodeValues(1, commands.map(encodeCommand)) });
}
