import type { Random } from './environment';
import { ReplicaError } from './errors';

interface Reader {
  readonly deadlineAt: number;
  readonly resolve: (index: number) => void;
  readonly reject: (error: ReplicaError) => void;
}

interface Round {
  readonly context: number;
  readonly startedAt: number;
  readonly readers: Reader[];
}

const BEGINNINGS = 2 ** 31;
const ROUNDS_OF_A_PROCESS = 2 ** 20;

/**
 * Where a process begins to number its rounds. A leader may be slow to answer: what it says to a round of the process before
 * must not be taken for its answer to a round of this one, which may have begun after much that it does not know of. So two
 * processes of a node do not use the same numbers, as etcd's requests have the time in theirs.
 */
export function beginningOfRounds(random: Random): number {
  return Math.floor(random.next() * BEGINNINGS) * ROUNDS_OF_A_PROCESS;
}

/**
 * Linearizable reads share rounds (dissertation section 6.4): whoever asks while a round is under way joins the next one,
 * so that the leader confirms its leadership once for many readers. A round that was refused or lost is started again
 * until its readers' deadlines.
 */
export class ReadRounds {
  private waiting: Reader[] = [];
  private round: Round | undefined;

  /** @param contexts the number before that of the first round; see beginningOfRounds */
  constructor(
    private contexts: number,
    private readonly start: (context: number) => void,
    private readonly now: () => number,
    private readonly retryMillis: number,
    private readonly maxReaders: number,
  ) {}

  /** Resolves to the read index: a state that has applied it reflects everything acknowledged before this call. */
  request(deadlineAt: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length + (this.round?.readers.length ?? 0) >= this.maxReaders) {
        reject(
          new ReplicaError(
            'OVERLOADED',
            `${this.maxReaders} reads wait already, as many as this node allows; try again later`,
          ),
        );
        return;
      }
      this.waiting.push({ deadlineAt, resolve, reject });
      if (!this.round) this.begin();
    });
  }

  /** The core's answer to a round. Answers to rounds that were given up say nothing. */
  confirmed(context: number, index: number): void {
    if (this.round?.context !== context) return;
    const { readers } = this.round;
    this.round = undefined;
    for (const reader of readers) reader.resolve(index);
    if (this.waiting.length > 0) this.begin();
  }

  /** Drops readers past their deadline and starts a lost or refused round again. */
  tick(): void {
    const now = this.now();
    this.waiting = this.waiting.filter((reader) => !this.expired(reader, now));
    if (this.round && now - this.round.startedAt >= this.retryMillis) {
      const readers = this.round.readers.filter((reader) => !this.expired(reader, now));
      this.round = undefined;
      this.waiting = [...readers, ...this.waiting];
    }
    if (!this.round && this.waiting.length > 0) this.begin();
  }

  rejectAll(error: ReplicaError): void {
    const readers = [...(this.round?.readers ?? []), ...this.waiting];
    this.round = undefined;
    this.waiting = [];
    for (const reader of readers) reader.reject(error);
  }

  private begin(): void {
    const readers = this.waiting;
    this.waiting = [];
    this.contexts += 1;
    this.round = { context: this.contexts, startedAt: this.now(), readers };
    this.start(this.contexts);
  }

  private expired(reader: Reader, now: number): boolean {
    if (reader.deadlineAt > now) return false;
    reader.reject(
      new ReplicaError(
        'NO_LEADER',
        'No leader confirmed in time how far the log is committed; a stale read would still answer.',
      ),
    );
    return true;
  }
}
