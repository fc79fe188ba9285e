import { Backoff } from '../../../src/ledger/projection/pause';
import { Projector } from '../../../src/ledger/projection/projector';
import { type ProjectionSource, type ProjectionStatus } from '../../../src/ledger/projection/source';
import { type TestPlace } from './databases';
import { until } from './until';

export const CLUSTER = '0123456789abcdef0123456789abcdef';

/** A projector in this process, and what it says. */
export class RunningProjector {
  status: ProjectionStatus | undefined;
  readonly said: string[] = [];
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;

  constructor(place: TestPlace, source: ProjectionSource, clusterId = CLUSTER, projector = 'one') {
    const running = new Projector({
      identity: { clusterId, group: 0, projector },
      openDatabase: () => place.open(),
      source,
      onStatus: (status) => {
        if (status.why !== this.status?.why) this.said.push(status.why);
        this.status = status;
      },
      monotonic: () => performance.now(),
      backoff: new Backoff(10, 100),
    });
    this.done = running.run(this.stopping.signal);
  }

  reaches(index: number): Promise<void> {
    return until(`the checkpoint is at ${index}`, () => this.status?.checkpointIndex === index, this.describe);
  }

  /** It has said so, now or earlier. */
  says(text: string): Promise<void> {
    return until(`it says "${text}"`, () => this.said.some((why) => why.includes(text)), this.describe);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }

  private readonly describe = () => JSON.stringify({ status: this.status, said: this.said });
}
