import { type KnownAccount } from './known-account';

const FIRST_SLOTS = 1024;
/** Knuth, The Art of Computer Programming, vol. 3, 6.4: 2^32 times the golden section, to spread neighbours. */
const SPREAD = 0x9e3779b1;

/**
 * Accounts by handle, in slots of which at most half are taken: looked for four times for each row, which takes a `Map` longer
 * than all the digits of the row. Whether one is there is seen without its object, which is not in the processor's cache.
 */
export class AccountSlots {
  /** Handles; 0: the slot is free. */
  private handles = new Float64Array(FIRST_SLOTS);
  private accounts: (KnownAccount | undefined)[] = Array.from({ length: FIRST_SLOTS });
  /** 1: it was asked for. */
  private marks = new Uint8Array(FIRST_SLOTS);
  private taken = 0;
  private marked = 0;

  /** How many were asked for. */
  get asked(): number {
    return this.marked;
  }

  find(handle: number): KnownAccount | undefined {
    const slot = this.ask(handle);
    return slot < 0 ? undefined : this.accounts[slot];
  }

  has(handle: number): boolean {
    return this.ask(handle) >= 0;
  }

  /** One that is not there; adding it asks for it. */
  add(account: KnownAccount): void {
    if (this.taken * 2 >= this.handles.length) this.grow();
    this.put(account, 1);
    this.taken++;
    this.marked++;
  }

  /** Those that were asked for, as if they had not been. */
  keepAsked(): AccountSlots {
    const kept = new AccountSlots();
    this.accounts.forEach((account, slot) => {
      if (account !== undefined && this.marks[slot] === 1) kept.add(account);
    });
    kept.marks.fill(0);
    kept.marked = 0;
    return kept;
  }

  /** @returns its slot; -1: it is not there */
  private ask(handle: number): number {
    const { handles, marks } = this;
    const mask = handles.length - 1;
    for (let slot = slotOf(handle, mask); ; slot = (slot + 1) & mask) {
      const other = handles[slot] as number;
      if (other === 0) return -1;
      if (other !== handle) continue;
      if (marks[slot] === 0) {
        marks[slot] = 1;
        this.marked++;
      }
      return slot;
    }
  }

  private grow(): void {
    const { accounts, marks } = this;
    const slots = this.handles.length * 2;
    this.handles = new Float64Array(slots);
    this.marks = new Uint8Array(slots);
    this.accounts = Array.from({ length: slots });
    accounts.forEach((account, slot) => {
      if (account !== undefined) this.put(account, marks[slot] as number);
    });
  }

  private put(account: KnownAccount, marked: number): void {
    const { handles } = this;
    const mask = handles.length - 1;
    let slot = slotOf(account.handle, mask);
    while (handles[slot] !== 0) slot = (slot + 1) & mask;
    handles[slot] = account.handle;
    this.marks[slot] = marked;
    this.accounts[slot] = account;
  }
}

/** Handles are counted up, so their lower 32 bits tell them apart. */
function slotOf(handle: number, mask: number): number {
  return (Math.imul(handle, SPREAD) >>> 8) & mask;
}
