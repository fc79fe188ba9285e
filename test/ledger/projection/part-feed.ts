import { type Following, type ProjectionSession } from '../../../src/ledger/projection/session';
import { type TransactionFold } from '../../../src/ledger/projection/transaction-fold';
import { type RandomHistory } from './random-history';

/** A little at a time, to the end of what is committed, as the projector does it with much. */
export class PartFeed implements Following {
  commits = 0;
  private readonly session: ProjectionSession;

  constructor(
    session: ProjectionSession,
    private readonly history: RandomHistory,
    private readonly isBehind: boolean,
  ) {
    this.session = session;
  }

  ahead(): number {
    return this.isBehind ? this.history.state.nextOffset : 0;
  }

  async next(): Promise<TransactionFold | undefined> {
    const fold = this.session.begin();
    const { batches } = await this.history.fetch(fold.lastIndex + 1, 1_500);
    await this.session.add(fold, batches);
    return batches.length > 0 ? fold : undefined;
  }

  committed(): void {
    this.commits++;
  }
}
