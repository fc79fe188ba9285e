import type { Mutation } from './mutation';

const PROPOSALS = 'src/raft/core/proposals.ts';
const QUORUM = 'src/raft/core/quorum.ts';

/** Changes of membership: who counts, from when on, and what must not overlap. */
export const MEMBERSHIP_MUTATIONS: readonly Mutation[] = [
  {
    name: 'configuration-taken-at-commit',
    source: '4.1',
    breaks: 'A configuration is in force when it is committed rather than as soon as it is in the log.',
    edits: [
      {
        file: 'src/raft/core/raft-state.ts',
        original: `return this.membership.current;`,
        replacement: `return this.membership.at(this.log.commit);`,
      },
    ],
  },
  {
    name: 'configuration-not-rolled-back',
    source: '4.1; NATS',
    breaks: 'A configuration stays in force although its entry was truncated.',
    edits: [
      {
        file: 'src/raft/core/follower.ts',
        original: `if (from <= r.log.lastIndex) r.membership.truncateFrom(from);`,
        replacement: `if (entries.some((entry) => entry.config !== undefined)) r.membership.truncateFrom(from);`,
      },
    ],
  },
  {
    name: 'change-before-the-first-commit-of-the-term',
    source: 'erratum of 2015 to 4.1',
    breaks: 'A new leader changes a configuration that another leader may be changing.',
    edits: [
      {
        file: PROPOSALS,
        original: `  if (!hasCommittedInTerm(r)) return 'not_committed_in_term';
`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'second-change-while-one-is-pending',
    source: '4.1; RethinkDB',
    breaks: 'A second change is made before the first is committed: majorities of old and new need not overlap.',
    edits: [
      {
        file: PROPOSALS,
        original: `if (r.membership.index > r.log.applied || isJoint(r.configuration)) return 'change_pending';`,
        replacement: `if (isJoint(r.configuration)) return 'change_pending';`,
      },
    ],
  },
  {
    name: 'two-voters-at-once',
    source: '4.1',
    breaks: 'Several voters are changed in one step, without a joint configuration between old and new.',
    edits: [
      {
        file: 'src/raft/core/configuration-change.ts',
        original: `return withLearners({ ...from, voters: wanted, votersOutgoing: from.voters });`,
        replacement: `return withLearners({ ...from, voters: wanted, votersOutgoing: [] });`,
      },
    ],
  },
  {
    name: 'joint-configuration-committed-by-one-half',
    source: '4.3',
    breaks: 'In a joint configuration the new half alone commits.',
    edits: [
      {
        file: QUORUM,
        original: `return Math.min(incoming, majorityIndex(configuration.votersOutgoing, ackOf));`,
        replacement: `return incoming;`,
      },
    ],
  },
  {
    name: 'joint-configuration-elects-by-one-half',
    source: '4.3',
    breaks: 'In a joint configuration the new half alone elects.',
    edits: [
      {
        file: QUORUM,
        original: `if (configuration.votersOutgoing.length === 0) return incoming;
  const outgoing`,
        replacement: `if (configuration.voters.length > 0) return incoming;
  const outgoing`,
      },
    ],
  },
  {
    name: 'learner-counted',
    source: '4.2.1',
    breaks: 'What a learner has on its disk counts as if it voted.',
    edits: [
      {
        file: QUORUM,
        original: `majorityIndex(configuration.voters, ackOf);`,
        replacement: `majorityIndex([...configuration.voters, ...configuration.learners], ackOf);`,
      },
    ],
  },
  {
    name: 'snapshot-without-the-membership',
    source: '5.1',
    breaks: 'A snapshot holds the configuration that the node began with, not the one in force at its index.',
    edits: [
      {
        file: 'src/raft/replica/snapshotter.ts',
        original: `configuration: this.attached.configurationAt(end.index),`,
        replacement: `configuration: this.options.stable.snapshot(this.options.group)?.configuration ?? this.attached.configurationAt(end.index),`,
      },
    ],
  },
];
