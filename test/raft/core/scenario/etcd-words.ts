/**
 * The words of the interaction tests of etcd's raft (github.com/etcd-io/raft, `rafttest` and `testdata`), each with the line
 * of ours that does the same. A script in their words so drives this core.
 */

interface Line {
  readonly nodes: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

type Translation = (line: Line) => string[];

/** The same word with the same meaning; where several nodes are named, one after the other. */
function each(word: string): Translation {
  return ({ nodes }) => nodes.map((node) => `${word} ${node}`);
}

/** What a node takes its time for, in ticks. */
const ELECTION_TICKS = 10;

const WORDS: Readonly<Record<string, Translation>> = {
  'add-nodes': ({ nodes, named }) => [`add-nodes ${nodes[0]} voters=(${spaced(named.get('voters'))})`],
  // Storage is asynchronous here, and pre-vote and check-quorum are on, whatever a script says; time passes by ticks only.
  'log-level': () => [],
  'set-randomized-election-timeout': () => [],
  campaign: each('campaign'),
  'tick-election': ({ nodes }) => nodes.map((node) => `tick ${node} ${ELECTION_TICKS}`),
  'tick-heartbeat': each('tick-heartbeat'),
  propose: ({ nodes }) => [`propose ${nodes.join(' ')}`],
  'process-ready': each('process-ready'),
  'process-append-thread': each('process-append'),
  'process-apply-thread': each('process-apply'),
  'deliver-msgs': ({ nodes, named }) => [
    ...(named.has('drop') ? [`drop to=(${spaced(named.get('drop'))})`] : []),
    ...(nodes.length > 0 ? [`deliver-msgs ${nodes.join(' ')}`] : []),
  ],
  stabilize: ({ nodes }) => [`stabilize ${nodes.join(' ')} log=none`],
  'raft-log': each('raft-log'),
  'raft-state': () => ['raft-state'],
};

function spaced(list: string | undefined): string {
  return (list ?? '').replace(/[()]/g, '').replaceAll(',', ' ');
}

/** @throws where a word has no counterpart here */
export function translated(script: string): string {
  const lines = script.split('\n').flatMap((line) => {
    if (line.trim() === '' || line.startsWith('#')) return [line];
    const [word = '', ...rest] = line.trim().split(' ');
    const pairs = rest.filter((part) => part.includes('=')).map((part) => part.split('=') as [string, string]);
    const translation = WORDS[word];
    if (!translation) throw new Error(`"${word}" has no counterpart here`);
    return translation({ nodes: rest.filter((part) => !part.includes('=')), named: new Map(pairs) });
  });
  return lines.join('\n');
}
