import { type KnownAccount } from './known-account';

const FIRST_SLOTS = 1024;
/** Knuth, The Art of Computer Programming, vol. 3, 6.4: 2^32 times the golden section, to spread neighbours. */
const SPREAD = 0x9e3779b1;

/**
 * Accounts by handle, in slots of which at most half are taken: looked for four times for each row, which takes a `Map` longer
 * than all the digits of the row.
 */
export class AccountSlots {
  /** Handles; 0: the slot is free. */
  private handles = new Float64Array(FIRST_SLOTS);
  private accounts: (KnownAccount | undefined)[] = Array.from({ length: FIRST_SLOTS });
  private taken = 0;

  get size(): number {
    return this.taken;
  }

  find(handle: number): KnownAccount | undefined {
    const { handles } = this;
    const mask = handles.length - 1;
    for (let slot = slotOf(handle, mask); ; slot = (slot + 1) & mask) {
      const other = handles[slot] as number;
      if (other === handle) return this.accounts[slot];
      if (other === 0) return undefined;
    }
  }

  /** One that is not there. */
  add(account: KnownAccount): void {
    if (this.taken * 2 >= this.handles.length) this.grow();
    this.put(account);
    this.taken++;
  }

  *all(): Generator<KnownAccount> {
    for (const account of this.accounts) if (account !== undefined) yield account;
  }

  private grow(): void {
    const before = [...this.all()];
    const slots = this.handles.length * 2;
    this.handles = new Float64Array(slots);
    this.accounts = Array.from({ length: slots });
    for (const account of before) this.put(account);
  }

  private put(account: KnownAccount): void {
    const { handles } = this;
    const mask = handles.length - 1;
    let slot = slotOf(account.handle, mask);
    while (handles[slot] !== 0) slot = (slot + 1) & mask;
    handles[slot] = account.handle;
    this.accounts[slot] = account;
  }
}

/** Handles are counted up, so their lower 32 bits tell them apart. */
function slotOf(handle: number, mask: number): number {
  return (Math.imul(handle, SPREAD) >>> 8) & mask;
}
