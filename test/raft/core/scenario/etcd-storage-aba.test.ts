import { played } from './script';
import { translated } from './etcd-words';

/**
 * The scenario of etcd's `testdata/async_storage_writes_append_aba_race.txt` (github.com/etcd-io/raft), told anew in the words of its
 * `rafttest`: storage is asynchronous, and a follower hands out three writes of entry 2, of three leaders, before the first is
 * durable. In between it hears the newest term alone, which is a write without entries. No acknowledgement may count but that of
 * the entry which is there. What differs from etcd's script are the rounds of pre-votes, and that nodes start with an empty log.
 */
const SCRIPT = `
add-nodes 7 voters=(1,2,3,4,5,6,7) async-storage-writes=true prevote=true checkquorum=true
campaign 2
stabilize
# The leader of term 1: only node 1 gets its entry 2, and is slow to write it.
propose 2 x
process-ready 2
deliver-msgs 1 drop=(3,4,5,6,7)
process-ready 1
# Term 2: node 3, by the votes of 4, 5 and 6, which hear of no entry.
tick-election 3 4 5 6
campaign 3
process-ready 3
deliver-msgs 4 5 6 drop=(1,2,7)
process-ready 4 5 6
deliver-msgs 3
process-ready 3
process-append-thread 3
deliver-msgs 4 5 6 drop=(1,2,7)
process-ready 4 5 6
process-append-thread 4 5 6
deliver-msgs 3
process-ready 3
# Its entry 2 takes the place of the other in node 1 alone: a second write.
deliver-msgs 1 drop=(2,4,5,6,7)
process-ready 1
raft-log 1
# Term 3: node 4, by the votes of 5, 6 and 7.
tick-election 7
campaign 4
process-ready 4
deliver-msgs 5 6 7 drop=(1,2,3)
process-ready 5 6 7
deliver-msgs 4
process-ready 4
process-append-thread 4
deliver-msgs 5 6 7 drop=(1,2,3)
process-ready 5 6 7
process-append-thread 5 6 7
deliver-msgs 4
process-ready 4
# Node 1 hears its heartbeat first: a third write, of the term alone. Then its entry 2: a fourth.
deliver-msgs drop=(1)
tick-heartbeat 4
process-ready 4
deliver-msgs 1
process-ready 1
deliver-msgs 4
process-ready 4
deliver-msgs 1
process-ready 1
raft-log 1
# One write after the other becomes durable.
raft-state
process-append-thread 1
raft-state
process-append-thread 1
raft-state
process-append-thread 1
raft-state
process-append-thread 1
raft-state
stabilize 1 4 5 6 7
raft-state
`;

/** What came of each line that is this command. */
function answersTo(command: string, text: string): string[][] {
  return text.split('\n').flatMap((line, at, lines) => {
    if (line !== command) return [];
    const rest = lines.slice(at + 1);
    const end = rest.findIndex((later) => !later.startsWith('  | '));
    return [rest.slice(0, end < 0 ? undefined : end).map((answer) => answer.slice(4))];
  });
}

test('a write of an entry that was replaced counts for nothing, whatever stands at its index by then', () => {
  const text = played(translated(SCRIPT));
  expect(answersTo('raft-log 1', text)).toEqual([
    ['1.1 noop', '2.2 noop'],
    ['1.1 noop', '2.3 noop'],
  ]);
  const states = answersTo('raft-state', text).map(([ofNode1]) => ofNode1);
  expect(states).toEqual([
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 1 commit 1 applied 1',
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 1 commit 1 applied 1',
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 1 commit 1 applied 1',
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 1 commit 1 applied 1',
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 2 commit 1 applied 1',
    '1: follower term 3 vote - leader 4 log 1 to 2 durable 2 commit 2 applied 2',
  ]);
});

test('a word of etcd’s that has no counterpart is said so', () => {
  expect(() => translated('forget-leader 1')).toThrow('"forget-leader" has no counterpart here');
});
