import { broadcastHeartbeat } from './heartbeat';
import { campaign, mayCampaign } from './election';
import { voteResult } from './quorum';
import type { RaftState } from './raft-state';
import { remindOfWaitingPeers } from './replication';
import { becomeFollower } from './roles';
import { tickTransfer } from './transfer';
import { NOBODY } from './types';

/** Time passes for a node that follows or campaigns. */
export function tickElection(r: RaftState): void {
  r.electionElapsed += 1;
  if (r.electionElapsed < r.electionTimeout) return;
  if (mayCampaign(r)) campaign(r);
  else r.restartElectionTimer();
}

/** Time passes for a leader. */
export function tickLeader(r: RaftState): void {
  r.electionElapsed += 1;
  r.heartbeatElapsed += 1;
  tickTransfer(r);
  if (r.electionElapsed >= r.minElectionTicks) {
    r.electionElapsed = 0;
    if (!quorumIsActive(r)) {
      becomeFollower(r, r.term, NOBODY);
      return;
    }
  }
  remindOfWaitingPeers(r);
  if (r.heartbeatElapsed >= r.options.heartbeatTicks) broadcastHeartbeat(r);
}

/**
 * Whether a majority was heard since the last check (6.2): a leader that can send but not receive would otherwise keep
 * everyone from electing another.
 */
function quorumIsActive(r: RaftState): boolean {
  const active = voteResult(r.configuration, (id) => id === r.id || (r.progress.get(id)?.heardThisPeriod ?? false));
  for (const peer of r.progress.values()) peer.beginPeriod();
  return active === 'won';
}
