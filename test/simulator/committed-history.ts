import { LogDamageError } from '../../src/log/log-errors';
import type { LogStore } from '../../src/log/log-store';
import { BatchKind, type BatchHeader } from '../../src/log/batch';
import { isOutcomeRowSet, OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import type { LedgerMachine } from '../../src/node/ledger-machine';
import { OutcomeDamageError } from '../../src/node/outcome-keeper';
import type { DamageLedger } from './damage-ledger';
import { expectBalanced } from './money-checks';
import type { SimNode } from './sim-node';
import { violated } from './violation';

export interface CommittedEntry {
  readonly term: number;
  /** The term of the first node that knew it to be committed: it was committed in that term or before. */
  readonly knownIn: number;
  readonly hash: string;
  /** Of the ledger's state once it was applied. */
  readonly state: string;
  readonly outcomes: Buffer;
  /** Of the first record; undefined where the batch has none. */
  readonly offset: number | undefined;
}

/**
 * What the cluster has committed, entry by entry, as the first node applied it. Every other node, every replay and every
 * snapshot has to agree with it (state machine safety), for ever.
 */
export class CommittedHistory {
  private readonly entries: (CommittedEntry | undefined)[] = [];
  applied = 0;

  get lastIndex(): number {
    return this.entries.length - 1;
  }

  at(index: number): CommittedEntry | undefined {
    return this.entries[index];
  }

  /** A node in term `knownIn` has applied a batch, and `machine` is its state right after it. @returns whether it is the first */
  take(name: string, knownIn: number, header: BatchHeader, outcomes: Buffer, machine: LedgerMachine): boolean {
    const { index, term } = header;
    this.applied += 1;
    const hash = header.hash.toString('latin1');
    const state = machine.hash();
    const known = this.entries[index];
    if (!known) {
      if (index > 1 && !this.entries[index - 1])
        violated('dense history', `${name} applied ${index}, not ${index - 1}`);
      const offset = header.kind === BatchKind.Records ? header.baseOffset : undefined;
      this.entries[index] = { term, knownIn, hash, state, outcomes: Buffer.from(outcomes), offset };
      expectBalanced(name, index, machine.reader);
      return true;
    }
    if (known.term !== term || known.hash !== hash) {
      violated('state machine safety', `${name} applied another entry ${index} (term ${term}) than term ${known.term}`);
    }
    if (!known.outcomes.equals(outcomes)) violated('determinism', `${name} decided otherwise about entry ${index}`);
    this.expectState(name, index, state);
    return false;
  }

  /** The state of a node that stands at `index`, however it came there. */
  expectState(name: string, index: number, state: string): void {
    const known = this.entries[index];
    if (known && known.state !== state) violated('determinism', `${name} has another state at index ${index}`);
  }

  /**
   * What a node has kept beside its log of what was decided about each record, for those who read records. Where its disk was
   * damaged it has to say so, and to get it from a peer, as long as one holds the log so far back: those that got a snapshot do
   * not, and outcomes are no part of it. Then it has to go on saying so.
   */
  async expectOutcomes(node: SimNode, peers: readonly SimNode[], damage: DamageLedger): Promise<true> {
    const { storage, outcomes: kept } = node.running!;
    for (let index = storage.log.firstIndex; index <= this.lastIndex; index += 1) {
      const { offset, outcomes } = this.entries[index]!;
      if (offset === undefined) continue;
      const read = async (): Promise<Buffer> => {
        const rows = await kept.read(offset, outcomes.length / OUTCOME_ROW_BYTES);
        // Zeros where there has to be an outcome: whoever reads records knows that, and asks the keeper to mend it.
        for (let at = 0; at < rows.length; at += OUTCOME_ROW_BYTES) {
          const isMissing = isOutcomeRowSet(outcomes, at) && !isOutcomeRowSet(rows, at);
          if (isMissing) throw kept.damageAt(offset + at / OUTCOME_ROW_BYTES);
        }
        return rows;
      };
      const rows = await read().catch(async (error: unknown) => {
        if (!(error instanceof OutcomeDamageError) || !damage.wasHurt(node)) throw error;
        if (await kept.mend(error)) return read();
        // Until its next start it cannot say which batch that is.
        if (await isDamagedAt(storage.log, index)) return undefined;
        const isHeld = peers.some(({ running }) => running !== undefined && running.storage.log.firstIndex <= index);
        if (isHeld) violated('outcomes are kept', `${node.name} gets no outcomes of ${index} from its peers`);
        return undefined;
      });
      if (rows && !rows.equals(outcomes))
        violated('outcomes are kept', `${node.name} tells another outcome of the records of ${index}`);
    }
    return true;
  }
}

async function isDamagedAt(log: Pick<LogStore, 'read'>, index: number): Promise<boolean> {
  try {
    await log.read(index, 1);
    return false;
  } catch (error) {
    if (error instanceof LogDamageError) return true;
    throw error;
  }
}
