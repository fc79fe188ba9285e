import { type Command } from '../../../../src/ledger/command-codec';
import { type PackedTransfer, encodePackedRows } from '../../../../src/ledger/packed-rows';
import { randomFrom, RandomHistory, uuid } from '../random-history';

/** Of the first batch of a history, and between two of them, in microseconds. */
const START = 1_700_000_000_000_000;
const STEP = 1_000_003;

/** A random history in which many transfers say when they count: before they were recorded, after, and at the same time. */
export class DatedHistory extends RandomHistory {
  private readonly chance: () => number;
  private nextDated = 1_000_000;

  constructor(seed: number) {
    super(seed);
    this.chance = randomFrom(seed + 1);
  }

  override grow(batches: number): void {
    for (let i = 0; i < batches; i++) {
      super.grow(1);
      if (this.chance() < 0.4) this.appendCommands(...Array.from({ length: 1 + this.upTo(4) }, () => this.dated()));
      if (this.chance() < 0.1) this.appendRows(encodePackedRows([this.toTheBank()]));
    }
  }

  private dated(): Command {
    const id = uuid(this.nextDated++);
    const effectiveTime =
      START + STEP * (this.upTo(this.lastIndex * 2) - Math.floor(this.lastIndex / 4)) + this.upTo(2);
    return {
      kind: 'transfer',
      id: { kind: 'uuid', bytes: id },
      ...{ debit: { name: 'bank' }, credit: { name: this.chance() < 0.7 ? 'alice' : 'bob' } },
      ...{ amount: { minor: BigInt(1 + this.upTo(9_999)) }, ledger: 'USD', code: this.upTo(3), userData: 0n },
      ...{ metadata: Buffer.alloc(0), flags: 0, effectiveTime },
    };
  }

  private toTheBank(): PackedTransfer {
    const handle = (name: string): number => this.state.reader.account(name)?.handle ?? 0;
    return {
      ...{ id: uuid(this.nextDated++), debitHandle: handle('alice'), creditHandle: handle('bank') },
      ...{ amount: BigInt(1 + this.upTo(50)), userData: 0n, code: 1, flags: 0 },
    };
  }

  private upTo(limit: number): number {
    return Math.floor(this.chance() * (limit + 1));
  }
}
