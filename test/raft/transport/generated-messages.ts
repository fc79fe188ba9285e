import { encodeConfiguration } from '../../../src/raft/core/configuration';
import type { Message } from '../../../src/raft/core/messages';
import { EntryKind, type Configuration, type Entry } from '../../../src/raft/core/types';
import { NO_HASH, sealBatch } from '../../../src/log/batch';

export const CONFIGURATION: Configuration = {
  voters: ['00000000000000a1', '00000000000000a2'],
  votersOutgoing: [],
  learners: ['00000000000000a3'],
  servers: [
    { id: '00000000000000a1', name: 'ä', rpcAddr: '127.0.0.1:1' },
    { id: '00000000000000a2', name: 'b', rpcAddr: '127.0.0.1:2' },
    { id: '00000000000000a3', name: 'c', rpcAddr: '[::1]:3' },
  ],
};

/** A real sealed batch; its chain is not kept, for nothing here verifies it. */
export function entry(index: number, term: number, kind: number, payload: Buffer): Entry {
  const fields = {
    kind,
    index,
    term,
    baseOffset: 0,
    count: kind === EntryKind.records ? 1 : 0,
    time: 1_700_000_000_000_000 + index,
    commitIndex: index - 1,
    group: 0,
    previousHash: NO_HASH,
  };
  const data = sealBatch(fields, [payload]);
  return kind === EntryKind.configuration
    ? { index, term, kind, data, config: CONFIGURATION }
    : { index, term, kind, data };
}

/** One message of each type at least, with values at the edges. */
export function everyMessage(from: string, to: string): Message[] {
  const envelope = { from, to, term: Number.MAX_SAFE_INTEGER };
  const configurationEntry = entry(8, 2, EntryKind.configuration, encodeConfiguration(CONFIGURATION));
  const records = entry(9, 3, EntryKind.records, Buffer.alloc(100_003, 7));
  return [
    { type: 'preVote', ...envelope, lastIndex: 2 ** 40 + 3, lastTerm: 3 },
    { type: 'preVoteResp', ...envelope, reject: true },
    { type: 'vote', ...envelope, lastIndex: 1, lastTerm: 1, transfer: true },
    { type: 'vote', ...envelope, lastIndex: 1, lastTerm: 1, transfer: false },
    { type: 'voteResp', ...envelope, reject: false },
    { type: 'append', ...envelope, prevIndex: 0, prevTerm: 0, commit: 0, entries: [] },
    { type: 'append', ...envelope, prevIndex: 7, prevTerm: 2, commit: 9, entries: [configurationEntry, records] },
    { type: 'appendResp', ...envelope, reject: true, index: 7, hintIndex: 5, hintTerm: 4, lost: true, clock: 99 },
    { type: 'appendResp', ...envelope, reject: false, index: 7, hintIndex: 0, hintTerm: 0, lost: false },
    { type: 'heartbeat', ...envelope, commit: 4, context: 77, clock: 1_700_000_000_000_001 },
    { type: 'heartbeatResp', ...envelope, context: 77 },
    { type: 'timeoutNow', ...envelope },
    { type: 'readIndex', ...envelope, context: 2 ** 33 },
    { type: 'readIndexResp', ...envelope, context: 1, index: 12, refusal: '' },
    { type: 'readIndexResp', ...envelope, context: 1, index: 0, refusal: 'too_many_reads' },
    { type: 'snapshot', ...envelope, meta: { index: 5, term: 2, configuration: CONFIGURATION } },
  ];
}
