import type { Mutation } from './mutation';

const JUDGEMENT = 'src/log/tail-judgement.ts';

/** Damage: what a disk no longer holds as it was written. */
export const ROT_MUTATIONS: readonly Mutation[] = [
  {
    name: 'torn-tail-taken-for-rot',
    source: 'NATS 2.12, TigerBeetle’s paper on recovery',
    breaks: 'A torn write at the end of the log is taken for acknowledged entries that have rotted.',
    edits: [
      {
        file: JUDGEMENT,
        original: `> mark.zeroSectors) return this.cut(dirtyEnd);`,
        replacement: `> mark.zeroSectors) return this.cut(dirtyEnd, this.expected);`,
      },
    ],
  },
  {
    name: 'rot-cut-like-a-torn-tail',
    source: 'NATS 2.12: one flipped bit on one node of five took half the data',
    breaks: 'Entries that were durable and have rotted are cut off as if they had never been written whole.',
    edits: [
      {
        file: JUDGEMENT,
        original: `return { verdict: 'damaged', from: this.scan.endPosition, toIndex: Math.max(this.expected, goodIndex - 1) };`,
        replacement: `return this.cut(this.size);`,
      },
    ],
  },
  {
    name: 'loss-not-remembered',
    source: 'Protocol-aware recovery (Alagappan, FAST 2018)',
    breaks: 'A node that may have lost what it acknowledged votes as if it had not.',
    edits: [
      {
        file: JUDGEMENT,
        original: `return lostAcknowledged === undefined ? cut : { ...cut, lostAcknowledged };`,
        replacement: `return cut;`,
      },
    ],
  },
];
