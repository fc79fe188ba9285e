import { type SignedHead } from '../proof/signed-head';
import { type TransferProof } from '../proof/transfer-proof';
import { type Caller } from './caller';
import {
  addMember,
  members,
  type MemberView,
  readRows,
  removeMember,
  type ServerStatus,
  type SqlRows,
  status,
  takeSnapshot,
  transferLeadership,
} from './cluster-calls';
import { type Directory } from './directory';
import { signedHead, transferProof } from './proof-calls';
import { type SeenPosition } from './seen-position';
import { type CallOptions, type ReadOptions } from './types';
import { consistencyOut } from './wire-views';

export interface SqlOptions {
  /** Name or address of the server; default: the first one that the client was given. */
  readonly server?: string;
  /** At most 10,000; default: 1,000. */
  readonly maxRows?: number;
  /** Of an earlier answer: waits until the rows reflect it. */
  readonly token?: string;
}

/** What operators ask of a cluster: a part of every client. */
export abstract class OperatorCalls {
  protected abstract readonly directory: Directory;
  protected abstract readonly caller: Caller;
  protected abstract readonly seen: SeenPosition;
  /** Of a call that says nothing else. */
  protected abstract readonly timeoutMs: number;

  members(options: CallOptions = {}): Promise<MemberView[]> {
    return members(this.caller, options.timeoutMs ?? this.timeoutMs);
  }

  /** What every server says of itself. `stateHash` makes each of them read all of its state. */
  async status(options: CallOptions & { readonly stateHash?: boolean } = {}): Promise<ServerStatus[]> {
    await this.directory.refresh();
    return status(this.directory, options.timeoutMs ?? this.timeoutMs, options.stateHash ?? false);
  }

  /** The proof that a transfer is in the log; `verifyProof` checks it with the nodes' published keys. */
  proof(id: string, options: ReadOptions = {}): Promise<TransferProof> {
    const consistency = consistencyOut(options.consistency, this.seen.token);
    return transferProof(this.caller, id, consistency, options.timeoutMs ?? this.timeoutMs);
  }

  /**
   * What one server says of its whole log, signed with its key: the server of that name or address, or the first one that this
   * client was given. It is of what that server has applied, and takes no consistency.
   */
  async head(server = '', options: CallOptions = {}): Promise<SignedHead> {
    if (server !== '') await this.directory.refresh();
    return signedHead(this.directory, server, options.timeoutMs ?? this.timeoutMs);
  }

  /** Hands leadership to the named voter, or to whom the cluster chooses; resolves to the new leader's name. */
  transferLeadership(name = '', options: CallOptions = {}): Promise<string> {
    return transferLeadership(this.caller, name, options.timeoutMs ?? this.timeoutMs);
  }

  /** Lets a node that was removed come back, or makes a learner a voter; resolves when that is committed. */
  addMember(name: string, options: CallOptions = {}): Promise<void> {
    return addMember(this.caller, name, options.timeoutMs ?? this.timeoutMs);
  }

  /** Removes a member for good; resolves when that is committed. The node is told, and ends. */
  removeMember(name: string, options: CallOptions = {}): Promise<void> {
    return removeMember(this.caller, name, options.timeoutMs ?? this.timeoutMs);
  }

  /**
   * Makes one server take a snapshot of its state: the one of that name or address, or the first one that this client was given.
   * Resolves to the index of the last entry in it, when it is durable.
   */
  async takeSnapshot(server = '', options: CallOptions = {}): Promise<number> {
    if (server !== '') await this.directory.refresh();
    return takeSnapshot(this.directory, server, options.timeoutMs ?? this.timeoutMs);
  }

  /** Reads the rows of one server's projection with one statement of SQL (docs/projection.md). */
  async sql(statement: string, options: CallOptions & SqlOptions = {}): Promise<SqlRows> {
    const { server = '', maxRows = 0, token = '' } = options;
    if (server !== '') await this.directory.refresh();
    const request = { statement, max_rows: maxRows, token };
    return readRows(this.directory, server, request, options.timeoutMs ?? this.timeoutMs);
  }
}
