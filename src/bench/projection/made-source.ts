import { type Fetched, type ProjectionSource } from '../../ledger/projection/source';
import { type MadeLog } from './made-log';

/** Milliseconds after which somebody who is at the end is told that nothing has come. */
const LONG_POLL = 20;

/** What a node would give of a made log, up to a batch. */
export class MadeSource implements ProjectionSource {
  /** When it was asked for the first time. */
  begun: number | undefined;

  /**
   * @param last index of the last batch that is committed
   * @param isBehind whether all of it is there already; else it comes as fast as it is asked for
   */
  constructor(
    private readonly log: MadeLog,
    private readonly last: number,
    private readonly isBehind: boolean,
  ) {}

  async fetch(fromIndex: number, maxBytes: number): Promise<Fetched> {
    this.begun ??= performance.now();
    let index = fromIndex - 1;
    for (let bytes = 0; bytes < maxBytes && index < this.last; index++) bytes += this.log.batches[index]!.batch.length;
    const batches = this.log.batches.slice(fromIndex - 1, index);
    if (batches.length === 0) await new Promise((resolve) => setTimeout(resolve, LONG_POLL));
    const nextOffset = this.log.offsetBehind(this.isBehind ? this.last : index);
    return { batches, commitIndex: this.last, nextOffset };
  }
}
