import type { Edit, Mutation } from './mutation';

const SNAPSHOTTER = 'src/raft/replica/snapshotter.ts';
const WRITER = 'src/ledger/snapshot-writer.ts';

/**
 * A snapshot is handed over by whoever received it, once, and its sender waits for that: the same one never comes a second time.
 * A sender that repeats what may have got lost is harmless where the receiver looks at what it has.
 */
const SENDS_TWICE: Edit = {
  file: 'src/raft/replica/ready-loop.ts',
  original: `this.options.snapshots.send(to, term).then((index) => {`,
  replacement: `this.options.snapshots.send(to, term).then(() => this.options.snapshots.send(to, term)).then((index) => {`,
};

/** Snapshots: which state they hold, what they take the place of, and when. */
export const SNAPSHOT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'snapshot-of-a-later-state',
    source: '5.1; Redpanda, Camunda',
    breaks: 'A snapshot that says index N holds the state of a later one.',
    edits: [
      {
        file: SNAPSHOTTER,
        original: `    const chunks = machine.snapshot();
    try {
      // What replay would derive again has to be durable before there is nothing to replay it from.
      await machine.flush();`,
        replacement: `    await machine.flush();
    const chunks = machine.snapshot();
    try {`,
      },
    ],
  },
  {
    name: 'snapshot-while-the-state-changes',
    source: '5.1',
    breaks: 'Balances that change while a snapshot is written show in it.',
    edits: [
      {
        file: WRITER,
        original: `const hot = accounts.hot.freeze();`,
        replacement: `const hot = accounts.hot.freeze(); accounts.hot.thaw(hot);`,
      },
    ],
  },
  {
    name: 'snapshot-without-the-ids',
    source: '6.3; the Kafka payment demos',
    breaks: 'A snapshot lacks the ids of the transfers that were done: one that is repeated is done twice.',
    edits: [
      {
        file: WRITER,
        original: `    yield* rowFrames(FrameKind.TRANSFERS, transferRows, transfers.rows, archived);
`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'extras-of-another-row',
    source: '6.3',
    breaks: 'With a row that is read from a run the text id and the metadata of another one come.',
    edits: [
      {
        file: 'src/node/ids/id-run.ts',
        original: `const inBlock = row % BLOCK_ROWS;`,
        replacement: `const inBlock = (row % BLOCK_ROWS) ^ 1;`,
      },
    ],
  },
  {
    name: 'snapshot-off-by-one',
    source: '5.1; RedisRaft',
    breaks: 'After an installation the first entry behind the snapshot is passed over.',
    edits: [
      {
        file: SNAPSHOTTER,
        original: `this.attached.stateJumped(stored.meta.index);`,
        replacement: `this.attached.stateJumped(stored.meta.index + 1);`,
      },
    ],
  },
  {
    name: 'old-snapshot-over-newer-state',
    source: '5.3; Redpanda, Camunda',
    breaks: 'A snapshot that comes late is installed over a state that is newer.',
    edits: [
      {
        file: 'src/raft/core/follower.ts',
        original: `if (m.meta.index <= log.commit) {`,
        replacement: `if (m.meta.index < 0) {`,
      },
      {
        file: 'src/raft/core/follower.ts',
        original: `} else if (log.has(m.meta.index, m.meta.term)) {`,
        replacement: `} else if (m.meta.index > log.commit && log.has(m.meta.index, m.meta.term)) {`,
      },
      SENDS_TWICE,
    ],
  },
  {
    name: 'log-not-reset-by-a-snapshot',
    source: '5.3; RedisRaft',
    breaks: 'A snapshot is installed, and the log goes on where it ended before.',
    edits: [{ file: SNAPSHOTTER, original: `    await log.reset(stored.meta);`, replacement: `` }],
  },
  {
    name: 'log-not-brought-in-line-at-the-start',
    source: '5.3',
    breaks: 'A crash between the installation of a snapshot and the reset of the log leaves a log that ends before it.',
    edits: [
      {
        file: SNAPSHOTTER,
        original: `if (log.termAt(meta.index) !== meta.term) await log.reset(meta);`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'snapshot-name-not-synced',
    source: 'etcd#6368',
    breaks: 'The folder is not synced after a snapshot got its name, and then the log below it goes.',
    edits: [
      {
        file: 'src/raft/snapshot/snapshot-store.ts',
        original: `    await this.options.files.rename(temporary, this.pathOf(name));
    await this.options.files.syncDirectory(this.options.directory);`,
        replacement: `    await this.options.files.rename(temporary, this.pathOf(name));`,
      },
    ],
  },
  {
    name: 'snapshot-not-synced',
    source: '5.1',
    breaks: 'A snapshot gets its name before its bytes are durable.',
    edits: [{ file: 'src/raft/snapshot/snapshot-writer.ts', original: `  await file.sync();`, replacement: `` }],
  },
];
