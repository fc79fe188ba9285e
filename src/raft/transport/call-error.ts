export interface CallErrorOptions {
  /** See CallError.sent. */
  readonly sent: boolean;
  /** See CallError.remote. */
  readonly remote?: boolean;
  /** Small facts beside the message, such as the first retained offset. */
  readonly details?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * Why a call failed. A handler throws one to choose what its caller sees: code, reason, message and details travel.
 *
 * Reasons of the transport itself: `PEER_UNKNOWN`, `PEER_UNREACHABLE`, `PEER_REFUSED`, `QUEUE_FULL`, `REQUEST_TOO_LARGE`,
 * `DEADLINE_BEFORE_SENT`, `TRANSPORT_CLOSED` (never sent); `CONNECTION_LOST`, `NO_ANSWER` (sent, outcome unknown);
 * `METHOD_UNKNOWN`, `PEER_OVERLOADED` (sent, and the peer's handler did not run); `HANDLER_FAILED`.
 */
export class CallError extends Error {
  override readonly name = 'CallError';
  /**
   * Whether any byte of the request may have left this node. False: the peer certainly did not do it, and it may be sent
   * again, elsewhere. True without `remote`: nobody here knows what became of it.
   */
  readonly sent: boolean;
  /** Whether the peer answered with this error, as opposed to not answering. */
  readonly remote: boolean;
  readonly details: Readonly<Record<string, string>>;

  /** `code` is one of gRPC's names, `reason` UPPER_SNAKE and stable; an error of a peer's handler keeps its own. */
  constructor(
    readonly code: string,
    readonly reason: string,
    message: string,
    options: CallErrorOptions,
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.sent = options.sent;
    this.remote = options.remote ?? false;
    this.details = options.details ?? {};
  }
}
