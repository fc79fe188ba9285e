import type { IncomingCall, PeerTransport } from '../raft/transport';
import { CallError } from '../raft/transport';
import { StartupError } from './startup-error';
import { decodeJson, encodeJson, numberField, PEER_CALLS, textField } from './peer-calls';

export interface Adoption {
  readonly clusterId: string;
  readonly partitions: number;
}

export interface DeskIdentity {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly name: string;
  readonly rpcAddr: string;
  /** The highest version of the rules of money that this program can apply. */
  readonly rulesVersion: number;
}

const CLUSTER_ID = /^[0-9a-f]{32}$/;

/**
 * Where a node without a cluster waits to be taken in. The leader of a cluster that sees it in gossip asks who it is, and
 * then adopts or refuses it. Once it belongs to a cluster it only says who it is.
 */
export class JoinDesk {
  private waiting: { resolve: (adoption: Adoption) => void; reject: (error: unknown) => void } | undefined;
  private adopted: Adoption | undefined;

  constructor(
    private readonly identity: () => DeskIdentity,
    /** Makes the membership durable, before the leader hears yes. */
    private readonly save: (adoption: Adoption) => Promise<void>,
    /** This node is no member any more. */
    private readonly onRemoved: () => void = () => undefined,
  ) {}

  /** Answers what leaders ask of this node itself. */
  serve(transport: Pick<PeerTransport, 'handle'>): this {
    transport.handle(PEER_CALLS.identify, () => this.identify());
    transport.handle(PEER_CALLS.adopt, (call) => this.adopt(call));
    transport.handle(PEER_CALLS.refuse, (call) => this.refuse(call));
    transport.handle(PEER_CALLS.removed, (call) => this.removed(call));
    return this;
  }

  /** Resolves once a cluster has adopted this node; rejects with StartupError when it was refused. */
  waitForAdoption(): Promise<Adoption> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  identify(): Promise<Buffer> {
    return Promise.resolve(encodeJson(this.identity()));
  }

  async adopt(call: IncomingCall): Promise<Buffer> {
    const body = decodeJson(call.body);
    const adoption = { clusterId: textField(body, 'clusterId'), partitions: numberField(body, 'partitions') };
    this.checkMeant(textField(body, 'nodeId'));
    if (!CLUSTER_ID.test(adoption.clusterId)) {
      throw refusal('CLUSTER_ID_INVALID', `"${adoption.clusterId}" is not the id of a cluster`);
    }
    // The leader may not have heard the answer the first time.
    if (this.identity().clusterId === adoption.clusterId) return encodeJson({});
    if (!this.waiting || this.adopted) {
      throw refusal('NOT_JOINING', `this node belongs to cluster ${this.identity().clusterId} and joins no other`);
    }
    this.adopted = adoption;
    try {
      await this.save(adoption);
    } catch (error) {
      // Half a membership on a disk that fails: the start ends here, and the leader hears that this was no yes.
      this.waiting.reject(error);
      throw error;
    }
    this.waiting.resolve(adoption);
    return encodeJson({});
  }

  async refuse(call: IncomingCall): Promise<Buffer> {
    const body = decodeJson(call.body);
    this.checkMeant(textField(body, 'nodeId'));
    if (this.waiting && !this.adopted) {
      this.waiting.reject(new StartupError(`the cluster refuses this node: ${textField(body, 'reason')}`, 2));
    }
    return encodeJson({});
  }

  /** A caller of another cluster does not come so far: the handshake refuses it. */
  async removed(call: IncomingCall): Promise<Buffer> {
    this.checkMeant(textField(decodeJson(call.body), 'nodeId'));
    if (this.identity().clusterId === '') throw refusal('NOT_JOINING', 'this node belongs to no cluster');
    this.onRemoved();
    return encodeJson({});
  }

  /** An address may have been taken over by another node since the leader learnt it. */
  private checkMeant(nodeId: string): void {
    const own = this.identity().nodeId;
    if (nodeId !== own) throw refusal('NOT_ME', `this is node ${own}, not ${nodeId}`);
  }
}

function refusal(reason: string, message: string): CallError {
  return new CallError('FAILED_PRECONDITION', reason, message, { sent: true });
}
