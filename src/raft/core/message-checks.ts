import { RaftMessageError } from './errors';
import type { Append, AppendResp, Message } from './messages';
import type { RaftState } from './raft-state';
import { EntryKind } from './types';

/**
 * Refuses what no correct peer sends, before it changes anything. What is checked here comes over the network, so it must
 * not end the process; what is asserted later, with RaftInvariantError, cannot come from a correct cluster at all.
 */
export function checkMessage(r: RaftState, m: Message): void {
  refuseUnless(m.to === r.id, m, () => `it is for ${m.to}, not for ${r.id}`);
  refuseUnless(m.from !== r.id, m, () => 'it says that this node sent it');
  refuseUnless(isIndex(m.term), m, () => `its term is ${m.term}`);
  switch (m.type) {
    case 'preVote':
    case 'vote':
      refuseUnless(
        isIndex(m.lastIndex) && isIndex(m.lastTerm),
        m,
        () => `its log ends at ${m.lastIndex}, ${m.lastTerm}`,
      );
      break;
    case 'append':
      checkAppend(m);
      break;
    case 'appendResp':
      checkAppendResp(r, m);
      break;
    case 'heartbeat':
      refuseUnless(isIndex(m.commit) && isIndex(m.context), m, () => `it carries ${m.commit} and ${m.context}`);
      break;
    case 'heartbeatResp':
    case 'readIndex':
      refuseUnless(isIndex(m.context), m, () => `its context is ${m.context}`);
      break;
    case 'readIndexResp':
      refuseUnless(isIndex(m.index) && isIndex(m.context), m, () => `it carries ${m.index} and ${m.context}`);
      break;
    case 'snapshot':
      refuseUnless(
        isIndex(m.meta.index) && isIndex(m.meta.term),
        m,
        () => `it ends at ${m.meta.index}, ${m.meta.term}`,
      );
      break;
    case 'timeoutNow':
    case 'preVoteResp':
    case 'voteResp':
      break;
  }
}

function checkAppend(m: Append): void {
  refuseUnless(
    isIndex(m.prevIndex) && isIndex(m.prevTerm) && isIndex(m.commit) && m.prevTerm <= m.term,
    m,
    () => `it continues entry ${m.prevIndex} of term ${m.prevTerm} and says that ${m.commit} is committed`,
  );
  let index = m.prevIndex;
  let term = m.prevTerm;
  for (const entry of m.entries) {
    refuseUnless(
      entry.index === index + 1 && entry.term >= term && entry.term <= m.term,
      m,
      () => `entry ${entry.index} of term ${entry.term} follows entry ${index} of term ${term}`,
    );
    refuseUnless(
      (entry.kind === EntryKind.configuration) === (entry.config !== undefined),
      m,
      () => `entry ${entry.index} of kind ${entry.kind} has ${entry.config === undefined ? 'no' : 'a'} configuration`,
    );
    index = entry.index;
    term = entry.term;
  }
}

function checkAppendResp(r: RaftState, m: AppendResp): void {
  refuseUnless(
    isIndex(m.index) && isIndex(m.hintIndex) && isIndex(m.hintTerm),
    m,
    () => `it answers for entry ${m.index} with the hint ${m.hintIndex}, ${m.hintTerm}`,
  );
  const beyond = r.isLeader && m.term === r.term && !m.reject && m.index > r.log.lastIndex;
  refuseUnless(!beyond, m, () => `it acknowledges entry ${m.index}, but the leader's log ends at ${r.log.lastIndex}`);
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function refuseUnless(holds: boolean, m: Message, why: () => string): void {
  if (!holds) throw new RaftMessageError(`The message ${m.type} from ${m.from} was not processed: ${why()}.`);
}
