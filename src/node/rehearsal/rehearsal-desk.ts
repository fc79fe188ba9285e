import { NodeError, type NodePosition, type Rehearsal, type RehearsalRequest } from '../../api/node-port';
import { rehearsalEnded } from './rehearsal-protocol';
import { type RehearsalSource, RehearsalThread } from './rehearsal-thread';

/** Bytes of a state, as a snapshot has them, beyond which it is not copied. */
const STATE_BYTES = 1 << 30;
/** Bytes of memory of the thread: the copy, its indexes, and what is tried on it. */
const MEMORY_BYTES = 3 * (1 << 30);
const RETRY_AFTER_MILLIS = 2_000;

/** What a test has otherwise. */
export interface RehearsalOptions {
  readonly stateBytes?: number;
  readonly memoryBytes?: number;
  /** The program of the thread. */
  readonly entry?: string;
}

/** The node, as far as its state is copied. */
export interface RehearsedNode {
  barrier(): Promise<void>;
  /** Both are called in one turn. */
  source(): RehearsalSource;
  position(): NodePosition;
}

/** Lets one caller at a time try writes on a copy of the state: a second copy would be as much memory again. */
export class RehearsalDesk {
  private isTaken = false;
  private current: RehearsalThread | undefined;
  private stopping: NodeError | undefined;

  constructor(private readonly options: RehearsalOptions = {}) {}

  async begin(request: RehearsalRequest, node: RehearsedNode): Promise<Rehearsal> {
    if (this.isTaken) throw underWay();
    this.isTaken = true;
    try {
      await node.barrier();
      request.signal.throwIfAborted();
      if (this.stopping) throw this.stopping;
      const thread = new RehearsalThread(this.options.entry);
      this.current = thread;
      const leave = (): void => thread.end(rehearsalEnded('its caller is gone'));
      request.signal.addEventListener('abort', leave, { once: true });
      try {
        await this.copy(thread, request, node);
      } catch (error) {
        await thread.close();
        throw error;
      } finally {
        request.signal.removeEventListener('abort', leave);
      }
      return {
        decide: (bytes) => thread.decide(bytes),
        balances: () => thread.balances(),
        close: () => thread.close().finally(() => this.free()),
      };
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Of the node: whoever tries something hears of it, and nobody begins any more. */
  stop(why: NodeError): void {
    this.stopping = why;
    this.current?.end(why);
  }

  private free(): void {
    this.isTaken = false;
    this.current = undefined;
  }

  private copy(thread: RehearsalThread, { limits }: RehearsalRequest, node: RehearsedNode): Promise<void> {
    const { stateBytes = STATE_BYTES, memoryBytes = MEMORY_BYTES } = this.options;
    const { token, offset } = node.position();
    const source = node.source();
    const { hashSeed, archived, chain } = source;
    const data = { hashSeed, archived, chain, limits, memoryBytes, position: { token, offset } };
    return thread.copy(source, data, stateBytes);
  }
}

function underWay(): NodeError {
  const message =
    'Somebody else has a dry run of this size on this node; there is one at a time. Wait, or ask another.';
  return new NodeError('RESOURCE_EXHAUSTED', 'DRY_RUN_UNDER_WAY', message, { retryAfterMs: RETRY_AFTER_MILLIS });
}
