import type { Edit, Mutation } from './mutation';

const WRITER = 'src/log/log-writer.ts';
const FLUSH = `    await file.write(parts, position);
    await file.datasync();`;

const WRITES_NOTHING_AGAIN: Edit = {
  file: 'src/log/recovery.ts',
  original: `      if (newer <= 1) await this.writeLastAgain(path, scan.lastMark);`,
  replacement: ``,
};

/** The disk: what is durable, in which order, and what an opening may believe. */
export const DISK_MUTATIONS: readonly Mutation[] = [
  {
    name: 'flush-without-a-sync',
    source: '3.8',
    breaks: 'What was appended to the log is taken for durable when it is written.',
    edits: [{ file: WRITER, original: FLUSH, replacement: `    await file.write(parts, position);` }],
  },
  {
    name: 'failed-sync-tried-again',
    source: 'fsyncgate: PostgreSQL, many Rafts',
    breaks: 'A sync that fails is tried again and succeeds, although the system has dropped what was to be synced.',
    edits: [
      {
        file: WRITER,
        original: FLUSH,
        replacement: `    await file.write(parts, position);
    await file.datasync().catch(() => file.datasync());`,
      },
    ],
  },
  {
    name: 'forgotten-by-a-failed-sync',
    source: 'this program, until its simulator found it; fsyncgate',
    breaks:
      'What a process finds in its log counts as durable after a sync, although one of the process before has failed.',
    edits: [WRITES_NOTHING_AGAIN],
  },
  {
    name: 'names-not-synced',
    source: 'etcd#6368',
    breaks: 'The folder is not synced after a segment was renamed: it is gone after a loss of power.',
    edits: [
      {
        file: 'src/log/segment-files.ts',
        original: `untilRoom(segment.capacity);
    await this.syncDirectory();`,
        replacement: `untilRoom(segment.capacity);`,
      },
    ],
  },
  {
    name: 'segment-header-not-synced',
    source: 'etcd',
    breaks: 'A segment gets its name before its header is durable.',
    edits: [
      {
        file: 'src/log/segment-files.ts',
        original: `        await fill?.(file);
        await file.datasync();`,
        replacement: `        await fill?.(file);`,
      },
    ],
  },
  {
    name: 'opening-without-a-sync',
    source: 'this program, until its simulator found it',
    breaks: 'What a killed process has written and not synced is taken for durable when the log is opened.',
    edits: [
      { file: 'src/log/recovery.ts', original: `if (newer <= 1) await this.makeDurable(path);`, replacement: `` },
      WRITES_NOTHING_AGAIN,
    ],
  },
  {
    name: 'votes-opened-without-a-sync',
    source: 'this program, until its simulator found it',
    breaks: 'A vote that a killed process has written and not synced is taken for durable when it is read.',
    edits: [
      {
        file: 'src/raft/stable/vote-file.ts',
        original: `    for (const slot of [0, 1]) await writeAgain(opened, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'vote-file-not-synced',
    source: '3.8',
    breaks: 'The second copy of a vote is not synced.',
    edits: [
      {
        file: 'src/raft/stable/vote-file.ts',
        original: `    await this.file.datasync();`,
        replacement: ``,
      },
    ],
  },
  {
    name: 'segments-removed-in-the-wrong-order',
    source: 'braft',
    breaks: 'A crash while several segments are removed leaves a hole between those that are left.',
    edits: [
      {
        file: 'src/log/segment-files.ts',
        original: `for (const { path } of segments) await this.removeSegment(path);`,
        replacement: `for (const { path } of [...segments].reverse()) await this.removeSegment(path);`,
      },
      {
        file: 'src/log/segment-files.ts',
        original: `for (const { path } of segments) {`,
        replacement: `for (const { path } of [...segments].reverse()) {`,
      },
    ],
  },
  {
    name: 'prefix-dropped-above-the-snapshot',
    source: '5.1; Proglog',
    breaks: 'Retention drops entries that no snapshot holds.',
    edits: [
      {
        file: 'src/raft/replica/snapshotter.ts',
        original: `if (total - segment.bytes < bound || segment.lastIndex > oldest.meta.index) break;`,
        replacement: `if (total - segment.bytes < retentionBytes) break;`,
      },
    ],
  },
  {
    name: 'outcomes-not-synced-before-the-log-goes',
    source: 'this program’s own rule',
    breaks:
      'What was decided about records is not durable when the log from which it could be derived again is dropped.',
    edits: [
      {
        file: 'src/raft/replica/snapshotter.ts',
        original: `    await machine.flush();
`,
        replacement: ``,
      },
    ],
  },
];
