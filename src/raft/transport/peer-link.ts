import { Backoff } from './backoff';
import type { TransportEnvironment, TransportLimits } from './environment';
import type { Frame } from './frame';
import type { FrameConnection } from './frame-connection';
import { dialPeer, RefusedError, type Established } from './handshake';
import type { Identity, Lane } from './hello';

export interface LinkOwner {
  onConnected(connection: FrameConnection): void;
  onFrame(frame: Frame): void;
  onDrain(): void;
  /** An attempt failed, or the connection was lost: nothing of what was handed over will be answered. */
  onLost(cause: Error): void;
}

export interface LinkOptions {
  readonly peerId: string;
  readonly lane: Lane;
  readonly address: string;
  /** Whether the link comes back by itself after a loss, or only when somebody has something to send. */
  readonly keepConnected: boolean;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly abort: AbortController }
  | { readonly kind: 'connected'; readonly connection: FrameConnection; readonly since: number }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'closed' };

/** One lane to one peer: connects, notices the loss, and connects again with backoff. */
export class PeerLink {
  private state: State = { kind: 'idle' };
  private address: string;
  /** Counts attempts: the outcome of one that was overtaken (a new address, a close) is thrown away. */
  private attempt = 0;
  private lastFailure = '';
  private readonly backoff: Backoff;

  constructor(
    private readonly options: LinkOptions,
    private readonly environment: TransportEnvironment,
    private readonly limits: TransportLimits,
    private readonly owner: LinkOwner,
  ) {
    this.address = options.address;
    this.backoff = new Backoff(environment.random, limits.backoffMinMs, limits.backoffMaxMs);
  }

  get connection(): FrameConnection | undefined {
    return this.state.kind === 'connected' ? this.state.connection : undefined;
  }

  /** Whether a connection may come about without anybody waiting for the backoff to end. */
  get isConnecting(): boolean {
    return this.state.kind === 'connecting';
  }

  /** Starts to connect, unless the backoff after a failure is still running. */
  wake(): void {
    if (this.state.kind === 'idle') this.connect();
  }

  /** From now on the peer is elsewhere. */
  setAddress(address: string): void {
    if (address === this.address || this.state.kind === 'closed') return;
    this.address = address;
    const { state } = this;
    if (state.kind === 'idle') return;
    this.attempt += 1;
    this.backoff.reset();
    this.state = { kind: 'idle' };
    const moved = new Error(`the peer moved to ${address}`);
    leave(state);
    if (state.kind !== 'waiting') this.owner.onLost(moved);
    if (this.options.keepConnected) this.wake();
  }

  close(): void {
    const { state } = this;
    this.state = { kind: 'closed' };
    this.attempt += 1;
    leave(state);
  }

  private connect(): void {
    this.attempt += 1;
    const { attempt } = this;
    const abort = new AbortController();
    this.state = { kind: 'connecting', abort };
    dialPeer(this.address, this.options.lane, this.environment, this.limits, abort.signal).then(
      (established) => {
        if (attempt === this.attempt) this.connected(established);
        else established.connection.close();
      },
      (error: Error) => {
        if (attempt === this.attempt) this.failed(error);
      },
    );
  }

  private connected({ connection, peer }: Established): void {
    if (peer.nodeId !== this.options.peerId) {
      connection.close();
      this.failed(new RefusedError(wrongNode(this.options.peerId, this.address, peer)));
      return;
    }
    this.state = { kind: 'connected', connection, since: this.environment.clock.monotonicMillis() };
    this.logOnce('connected', `connected to peer ${peer.nodeName}`);
    this.owner.onConnected(connection);
    const { attempt } = this;
    connection.start({
      onFrame: (frame) => this.owner.onFrame(frame),
      onDrain: () => this.owner.onDrain(),
      onClosed: (cause) => {
        if (attempt === this.attempt) this.failed(cause ?? new Error('the connection was closed'));
      },
    });
  }

  private failed(cause: Error): void {
    const { state } = this;
    // A connection that lived for a while was a good one; one that breaks at once must not be retried without a pause.
    const livedMs = state.kind === 'connected' ? this.environment.clock.monotonicMillis() - state.since : 0;
    const wasGood = livedMs >= this.limits.backoffMaxMs;
    if (wasGood) this.backoff.reset();
    this.attempt += 1;
    // Whether somebody still listens there is worth knowing at once.
    const cancel = this.environment.timers.after(wasGood ? 0 : this.backoff.next(), () => {
      this.state = { kind: 'idle' };
      if (this.options.keepConnected) this.wake();
    });
    this.state = { kind: 'waiting', cancel };
    this.logOnce(cause.message, `no connection to the peer: ${cause.message}`);
    this.owner.onLost(cause);
  }

  /** A peer that is away for a week is one line, not a million. */
  private logOnce(key: string, message: string): void {
    if (key === this.lastFailure) return;
    this.lastFailure = key;
    const { peerId, lane } = this.options;
    const fields = { peer: peerId, lane, address: this.address };
    if (key === 'connected') this.environment.log.info(fields, message);
    else this.environment.log.warn(fields, message);
  }
}

/** Ends what a state holds. */
function leave(state: State): void {
  if (state.kind === 'waiting') state.cancel();
  if (state.kind === 'connecting') state.abort.abort();
  if (state.kind === 'connected') state.connection.close();
}

function wrongNode(expected: string, address: string, found: Identity): string {
  return (
    `node ${found.nodeId} ("${found.nodeName}") answers at ${address}, where node ${expected} was expected:` +
    ' its data directory is another one, or the address was given to another node'
  );
}
