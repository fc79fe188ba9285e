/** The limits of the doors. All may be raised; what is beyond is refused with an error that names the limit. */
export interface Limits {
  /** Bytes of one produced record's value. */
  readonly recordBytes: number;
  /** Items of one batch call, values of one chunk. */
  readonly batchItems: number;
  /** Bytes of one encoded batch, packed rows included. */
  readonly batchBytes: number;
  /** Bytes of one gRPC message that is received. */
  readonly messageBytes: number;
  /** Bytes of one HTTP request's body. */
  readonly bodyBytes: number;
  /** Items of one page of a list. */
  readonly pageItems: number;
  /** Milliseconds that the server works on a call whose caller named no deadline. */
  readonly deadlineMs: number;
  /** Streams of one door that follow the log or balances at once. */
  readonly followers: number;
  /** Batches of one SubmitBatches stream that are in flight at once. */
  readonly batchesInFlight: number;
  /** Milliseconds without a request, or with an answer that is not taken, after which a stream of dry runs ends. */
  readonly dryRunIdleMs: number;
  /** Milliseconds that a stream of dry runs lasts at most, however busy it is: others have to wait for it. */
  readonly dryRunLifeMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  recordBytes: 1024 * 1024,
  batchItems: 8190,
  batchBytes: 1024 * 1024,
  messageBytes: 4 * 1024 * 1024,
  bodyBytes: 1024 * 1024,
  pageItems: 1000,
  deadlineMs: 5000,
  followers: 1000,
  batchesInFlight: 8,
  dryRunIdleMs: 60_000,
  dryRunLifeMs: 600_000,
};

/** Items of a page where the caller names no size. */
export const DEFAULT_PAGE_ITEMS = 100;
