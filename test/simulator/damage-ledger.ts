import type { Configuration } from '../../src/raft/core';
import type { SimNode } from './sim-node';

/** A byte of a file that is not what it should be. */
export interface WrongByte {
  readonly path: string;
  readonly position: number;
  readonly value: number;
}

interface Harm {
  /** Up to this index everything may have been on its disk. */
  readonly upTo: number;
  readonly wrong: readonly WrongByte[];
}

/**
 * Which machines lack what they once had. As long as no more of them do than a majority can spare, every committed entry
 * is whole on enough disks; a run that broke this would blame the program for what nothing could save.
 */
export class DamageLedger {
  private readonly hurt = new Map<SimNode, Harm>();
  private readonly everHurt = new Set<SimNode>();

  constructor(
    private readonly world: {
      readonly nodes: readonly SimNode[];
      /** Every configuration that may be in force somewhere. */
      readonly configurations: () => readonly Configuration[];
    },
  ) {}

  get isWhole(): boolean {
    this.look();
    return this.hurt.size === 0;
  }

  wasHurt(node: SimNode): boolean {
    return this.everHurt.has(node);
  }

  isHurt(node: SimNode): boolean {
    return this.hurt.has(node);
  }

  /** Whether `node` may lose something now. */
  mayHurt(node: SimNode): boolean {
    const { nodes, configurations } = this.world;
    this.look();
    if (nodes.some(({ duty }) => duty === 'leaving')) return false;
    return this.hurt.has(node) || this.hurt.size + 1 <= Math.min(...configurations().map(spare));
  }

  /** To be called before anything is taken from it. @param wrong what is found on its disk until it is mended */
  hurts(node: SimNode, wrong: readonly WrongByte[] = []): void {
    const ends = this.world.nodes.map(({ running }) => running?.storage.log.lastIndex ?? 0);
    this.everHurt.add(node);
    const before = this.hurt.get(node);
    const upTo = Math.max(before?.upTo ?? 0, ...ends);
    this.hurt.set(node, { upTo, wrong: [...(before?.wrong ?? []), ...wrong] });
  }

  /** Strikes off those that have everything again. */
  private look(): void {
    for (const [node, harm] of this.hurt) if (this.isBack(node, harm)) this.hurt.delete(node);
  }

  private isBack(node: SimNode, { upTo, wrong }: Harm): boolean {
    const { running } = node;
    if (node.duty === 'spare') return true;
    if (!running || running.replica.appliedIndex < upTo || running.replica.status().mayHaveLost) return false;
    if (wrong.some(({ path, position, value }) => node.disk.find(path)?.byteAt(position) === value)) return false;
    // A node may learn late that it is no member any more, but not that it is one again.
    return this.world.configurations().every(({ voters, servers }) => {
      const namesakes = servers.filter(({ name }) => name === node.name);
      return voters.includes(node.id) && namesakes.length === 1;
    });
  }
}

/** So many voters can be done without. */
function spare({ voters, votersOutgoing }: Configuration): number {
  const halves = votersOutgoing.length > 0 ? [voters, votersOutgoing] : [voters];
  return Math.min(...halves.map(({ length }) => Math.floor((length - 1) / 2)));
}
