import type { MessageType } from '../core/messages';
import type { ReadRefusalReason } from '../core/types';

/**
 * The fixed part of every Raft message, the same for all types; what follows it depends on the type. A multiple of 8, so
 * that the batches behind it start on one, too.
 *
 *  0 u8 type     1 u8 bits     2 u16 = 0     4 u32 small (append: number of entries; readIndexResp: refusal)
 *  8 from: 8 bytes            16 to: 8 bytes            24 u64 term            32 u64 clock, µs; 0: none
 * 40 u64 a                    48 u64 b                  56 u64 c               64 u64 d
 */
export const MESSAGE_FIXED_BYTES = 72;

export const At = {
  type: 0,
  bits: 1,
  reserved: 2,
  small: 4,
  from: 8,
  to: 16,
  term: 24,
  clock: 32,
  a: 40,
  b: 48,
  c: 56,
  d: 64,
} as const;

/** Numbers on the wire; never reused for something else. */
export const MESSAGE_NUMBERS: Readonly<Record<MessageType, number>> = {
  preVote: 1,
  preVoteResp: 2,
  vote: 3,
  voteResp: 4,
  append: 5,
  appendResp: 6,
  heartbeat: 7,
  heartbeatResp: 8,
  timeoutNow: 9,
  readIndex: 10,
  readIndexResp: 11,
  snapshot: 12,
};

export const REFUSAL_NUMBERS: Readonly<Record<ReadRefusalReason | '', number>> = {
  '': 0,
  no_leader: 1,
  not_leader: 2,
  not_committed_in_term: 3,
  leadership_lost: 4,
  too_many_reads: 5,
};

export const Bit = {
  /** preVoteResp, voteResp, appendResp */
  reject: 1,
  /** vote */
  transfer: 2,
  /** appendResp */
  lost: 4,
} as const;

/** The four numbers of a message in the order of the layout; what a type does not use is zero. */
export type Numbers = readonly [a: number, b: number, c: number, d: number];
