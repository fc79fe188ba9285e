/** Records of the log from an offset on, wherever a server gives them: log.v1.Log.ConsumeStream. */
import { clientDefinition } from '../proto/load';
import { type ConsumeRequestOut, type ConsumeResponse, type Record } from '../proto/log-v1';
import { checkedUInt64 } from './batch-codec';
import { LedgerError } from './errors';
import { followed, type FollowOptions, type OpenAt } from './followed-stream';
import { type CallOptions, type RecordView, type UInt64 } from './types';

const LOG = clientDefinition('log.v1.Log');

/** Which records: of each list one item has to fit, and all that is given has to hold. */
export interface RecordFilter {
  /** 0: a producer's values. 1: the ledger's records. */
  readonly types?: readonly number[];
  /** `transfer`, `open_account`, `update_account`, `create_ledger`, `expire_hold`, … */
  readonly commands?: readonly string[];
  /** Codes of ledgers. */
  readonly ledgers?: readonly string[];
  /** Accounts by name, and by handle: payer, payee, or what is opened or changed. */
  readonly accounts?: readonly string[];
  readonly handles?: readonly UInt64[];
  /** `ok`, `insufficient_funds`, … */
  readonly results?: readonly string[];
}

export interface ConsumeOptions extends CallOptions {
  /** Ends the stream. */
  readonly signal?: AbortSignal;
  /** Only what fits comes; the servers leave out the rest. */
  readonly filter?: RecordFilter;
  /** Ends before this offset, without a record there being waited for beyond it. */
  readonly until?: number;
  /** Told of where to go on from, also where long nothing fits: everything before has been looked at. */
  readonly onProgress?: (nextOffset: number) => void;
}

/** Without a gap; goes on elsewhere where a server is lost. */
export function recordStream(
  from: number,
  follow: FollowOptions,
  { filter, until = Infinity, onProgress }: Pick<ConsumeOptions, 'filter' | 'until' | 'onProgress'>,
): AsyncGenerator<RecordView, void, undefined> {
  let next = from;
  const reach = (offset: number): void => {
    next = offset;
    onProgress?.(next);
  };
  return followed(follow, async function* (open) {
    if (next >= until) return;
    for await (const answer of openAt(open, next, filter)) {
      const view = answer.record === null ? undefined : recordView(answer.record);
      if (view && (view.offset < next || (!filter && view.offset !== next))) throw misplaced(view.offset, next);
      if (view && view.offset >= until) return;
      const reached = filter ? Number(answer.next_offset) : next + 1;
      // A server that knows no filters gives everything and does not say how far it is.
      if (reached < next || (view && reached <= view.offset)) throw unfiltered();
      if (view) yield view;
      reach(reached);
      if (next >= until) return;
    }
  });
}

function openAt(open: OpenAt, offset: number, filter: RecordFilter | undefined): AsyncIterable<ConsumeResponse> {
  return open(LOG.ConsumeStream, { offset, ...(filter && { filter: filterOut(filter) }) });
}

function filterOut(filter: RecordFilter): NonNullable<ConsumeRequestOut['filter']> {
  const { types = [], commands = [], ledgers = [], accounts = [], handles = [], results = [] } = filter;
  return {
    ...{ types: [...types], commands: [...commands], ledgers: [...ledgers], accounts: [...accounts] },
    handles: handles.map((handle) => String(checkedUInt64(handle, 'filter.handles'))),
    results: [...results],
  };
}

function misplaced(offset: number, next: number): LedgerError {
  const message = `The stream has offset ${offset} where ${next} was expected.`;
  return new LedgerError('INTERNAL', 'MALFORMED_ANSWER', message);
}

function unfiltered(): LedgerError {
  const message = 'The server does not say how far it has read: it is too old to filter records.';
  return new LedgerError('UNIMPLEMENTED', 'UNIMPLEMENTED', message);
}

export function recordView(record: Record | null): RecordView {
  if (record === null) throw new LedgerError('INTERNAL', 'MALFORMED_ANSWER', 'The answer holds no record.');
  const { value, type } = record;
  return {
    offset: Number(record.offset),
    term: Number(record.term),
    timestamp: Number(record.timestamp),
    type,
    value,
  };
}
