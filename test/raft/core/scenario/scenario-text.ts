import type { Configuration, CoreStatus, Entry, Message, NodeId, Ready } from '../../../../src/raft/core';
import { EntryKind } from '../../../../src/raft/core';

/** What is printed: everything that a reader of a scenario wants to see, in the same words everywhere. */

export function nodeText(node: NodeId): string {
  return node === '' ? '-' : String(Number.parseInt(node, 16));
}

export function entryText(entry: Entry): string {
  const where = `${entry.index}.${entry.term}`;
  if (entry.kind === EntryKind.noop) return `${where} noop`;
  if (entry.config) return `${where} ${configurationText(entry.config)}`;
  return `${where} "${entry.data.toString('latin1').split(':')[1] ?? ''}"`;
}

export function configurationText({ voters, votersOutgoing, learners }: Configuration): string {
  const list = (ids: readonly NodeId[]): string => ids.map(nodeText).join(' ');
  const outgoing = votersOutgoing.length > 0 ? ` leaving (${list(votersOutgoing)})` : '';
  return `voters (${list(voters)})${outgoing}${learners.length > 0 ? ` learners (${list(learners)})` : ''}`;
}

export function messageText(m: Message): string {
  return `${nodeText(m.from)}->${nodeText(m.to)} ${m.type} term ${m.term}${bodyText(m)}`;
}

function bodyText(m: Message): string {
  switch (m.type) {
    case 'append': {
      const entries = m.entries.length > 0 ? ` [${m.entries.map(entryText).join(', ')}]` : '';
      return ` after ${m.prevIndex}.${m.prevTerm} commit ${m.commit}${entries}`;
    }
    case 'appendResp':
      return m.reject ? ` REJECT ${m.index} hint ${m.hintIndex}.${m.hintTerm}` : ` match ${m.index}`;
    case 'vote':
    case 'preVote':
      return ` log ${m.lastIndex}.${m.lastTerm}${m.type === 'vote' && m.transfer ? ' transfer' : ''}`;
    case 'voteResp':
    case 'preVoteResp':
      return m.reject ? ' REJECT' : ' granted';
    case 'heartbeat':
      return ` commit ${m.commit}${m.context > 0 ? ` round ${m.context}` : ''}`;
    case 'heartbeatResp':
      return m.context > 0 ? ` round ${m.context}` : '';
    case 'readIndex':
      return ` context ${m.context}`;
    case 'readIndexResp':
      return m.refusal === '' ? ` context ${m.context} index ${m.index}` : ` context ${m.context} refused ${m.refusal}`;
    case 'snapshot':
      return ` at ${m.meta.index}.${m.meta.term} ${configurationText(m.meta.configuration)}`;
    case 'timeoutNow':
      return '';
  }
}

/** One line for each thing that there is to do. */
export function readyText(ready: Ready): string[] {
  const { softState, hardState, truncateFrom, entries, committed, installSnapshot, ack } = ready;
  return [
    ...(softState ? [`${softState.role}, leader ${nodeText(softState.leader)}`] : []),
    ...(hardState ? [`store term ${hardState.term} vote ${nodeText(hardState.vote)}`] : []),
    ...(truncateFrom !== undefined ? [`truncate from ${truncateFrom}`] : []),
    ...entries.map((entry) => `append ${entryText(entry)}`),
    ...ready.messages.map((m) => `send ${messageText(m)}`),
    ...(ack ? [`when durable: ack ${ack.index}.${ack.entryTerm} of term ${ack.term}`] : []),
    ...ready.messagesAfterSync.map((m) => `when durable: send ${messageText(m)}`),
    ...(committed ? [`apply ${committed.from} to ${committed.to}`] : []),
    ...ready.readStates.map(({ context, index }) => `read ${context} at index ${index}`),
    ...ready.readRefusals.map(({ context, reason }) => `read ${context} refused: ${reason}`),
    ...ready.snapshotsToSend.map(({ to }) => `snapshot wanted for ${nodeText(to)}`),
    ...ready.reads.map(({ peer, from }) => `load for ${nodeText(peer)} from ${from}`),
    ...(installSnapshot ? [`install snapshot at ${installSnapshot.index}.${installSnapshot.term}`] : []),
  ];
}

export function stateText(status: CoreStatus): string {
  const { role, term, vote, leader, firstIndex, lastIndex, durable, commit, applied } = status;
  return (
    `${role} term ${term} vote ${nodeText(vote)} leader ${nodeText(leader)} ` +
    `log ${firstIndex} to ${lastIndex} durable ${durable} commit ${commit} applied ${applied}`
  );
}

export function progressText(status: CoreStatus): string[] {
  return status.peers.map((peer) => {
    const inflight = peer.inflightMessages > 0 ? ` inflight ${peer.inflightMessages}` : '';
    const flags = `${peer.learner ? ' learner' : ''}${peer.recentActive ? '' : ' silent'}`;
    return `${nodeText(peer.id)}: ${peer.state} match ${peer.match} next ${peer.next}${inflight}${flags}`;
  });
}
