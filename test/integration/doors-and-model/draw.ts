/** Random units for the doors: new ones, repeats, repeats that say something else, groups, and faults of shape. */
import { isUuid, type Said, type Unit } from './said';

export const LEDGERS = { USD: 2, JPY: 0, WEI: 18, DEV: 2 } as const;
export type LedgerCode = keyof typeof LEDGERS;
const CODES = Object.keys(LEDGERS) as LedgerCode[];
const ACCOUNTS = 8;
/** Long after every test is over: an expiry would be a record that no door asked for. */
const HOURS = 3_600_000;

/** What no state is needed to refuse, and the name that it has on every door. */
const FAULTS: readonly (readonly [string, Partial<Said>])[] = [
  ['amount_must_not_be_zero', { amount: '0.00' }],
  ['amount_invalid', { amount: '1,0' }],
  ['amount_precision', { amount: '1.00000000000000000001' }],
  ['amount_too_large', { amount: '9'.repeat(39) }],
  ['id_invalid', { id: '00000000-0000-0000-0000-000000000000' }],
  ['timeout_invalid', { kind: 'plain', timeoutMs: 5 }],
  ['pending_id_invalid', { kind: 'plain', refersTo: 'something' }],
  ['ledger_code_invalid', { ledger: 'a b' }],
  ['metadata_too_large', { metadata: 'x'.repeat(1025) }],
];

export class Draw {
  private readonly said: Unit[] = [];
  private readonly made: string[] = [];
  private readonly held: string[] = [];
  private next = 0;
  private state: number;

  constructor(private readonly seed: number) {
    this.state = seed >>> 0;
  }

  unit(): Unit {
    const dice = this.below(100);
    const old = this.one(this.said);
    if (dice < 14 && old !== undefined) return this.again(old);
    const isGroup = dice < 34;
    const transfers = Array.from({ length: isGroup ? 1 + this.below(4) : 1 }, () => this.transfer());
    const unit = { group: isGroup ? this.id() : '', transfers };
    if (isGroup && this.below(8) === 0 && old !== undefined) transfers.push(this.one(old.transfers)!);
    this.said.push(unit);
    return unit;
  }

  private again(unit: Unit): Unit {
    const dice = this.below(6);
    if (unit.group !== '') {
      if (dice === 0) return { ...unit, transfers: [...unit.transfers].reverse() };
      if (dice === 1) return { ...unit, transfers: unit.transfers.slice(1 % unit.transfers.length) };
      if (dice === 2) return { ...unit, group: this.id() };
      return dice === 3 ? { group: '', transfers: [this.one(unit.transfers)!] } : unit;
    }
    const changes: Partial<Said>[] = [{ code: 99 }, { userData: 7n }, { metadata: 'other' }, { effectiveTime: 5 }];
    const isSound = unit.transfers.every(({ fault }) => fault === undefined);
    return dice < 2 && isSound ? { ...unit, transfers: [{ ...unit.transfers[0]!, ...this.one(changes) }] } : unit;
  }

  private transfer(): Said {
    const dice = this.below(100);
    const ledger = this.one(CODES)!;
    const id = this.below(40) === 0 ? (this.one(this.made) ?? this.id()) : this.id();
    const plain: Said = {
      ...{ id, kind: 'plain', refersTo: '', balancing: this.below(8) === 0, timeoutMs: 0, fault: undefined },
      from: this.below(3) === 0 ? `bank ${ledger}` : this.account(ledger),
      to: this.below(30) === 0 ? this.account('USD') : this.account(ledger),
      // Where no ledger is named only the state machine can say that an amount has too many digits.
      ...this.worth(ledger),
      code: this.below(3),
      userData: this.below(20) === 0 ? 2n ** 64n - 1n : 0n,
      metadata: this.below(12) === 0 ? 'why' : '',
      effectiveTime: this.below(12) === 0 ? 1 + this.below(999) : 0,
      importedTime: this.below(15) === 0 ? (this.below(2) === 0 ? 7 : 2 ** 52) : 0,
    };
    if (dice >= 70) return this.referring(plain, dice);
    if (dice < 5) return this.misshapen(plain);
    this.made.push(id);
    if (plain.from === plain.to) return { ...plain, fault: 'accounts_must_be_different' };
    if (dice < 40) return plain;
    this.held.push(id);
    const timeoutMs = plain.importedTime === 0 ? this.below(2) * HOURS : 0;
    return { ...plain, kind: 'pending', timeoutMs };
  }

  private misshapen(plain: Said): Said {
    const [fault, change] = this.one(FAULTS)!;
    const to = plain.from === plain.to ? `${plain.to}, another` : plain.to;
    return { ...plain, to, amount: '1', ledger: 'USD', importedTime: 0, ...change, fault };
  }

  private referring(plain: Said, dice: number): Said {
    const kind = dice < 82 ? 'post' : dice < 88 ? 'void' : 'reverse';
    const refersTo = (kind === 'reverse' ? undefined : this.one(this.held)) ?? this.one(this.made) ?? 'nothing';
    this.made.push(plain.id);
    const named = this.below(15) === 0 ? { from: this.account('USD'), to: 'bank USD' } : { from: '', to: '' };
    const amount = kind !== 'void' && this.below(3) === 0 ? String(1 + this.below(40)) : '';
    return { ...plain, ...named, kind, refersTo, amount, ledger: '', balancing: false };
  }

  private worth(ledger: LedgerCode): { amount: string; ledger: string } {
    const whole = this.below(30) === 0 ? 10 ** 6 : 1 + this.below(40);
    if (this.below(3) === 0 || ledger === 'JPY')
      return { amount: String(whole), ledger: this.below(2) === 0 ? '' : ledger };
    const digits = ledger === 'DEV' ? '.005' : ledger === 'WEI' ? `.${'0'.repeat(17)}1` : '.25';
    return { amount: `${whole}${digits}`, ledger };
  }

  account(ledger: string): string {
    const n = this.below(ACCOUNTS);
    // One has another form in Unicode than the one that it is kept in.
    return n === 0 ? `${ledger} \u00e9` : `${ledger} ${n}`;
  }

  private id(): string {
    this.next++;
    if (this.below(4) === 0) return `order ${this.next}`;
    return `a0eebc99-${this.seed
      .toString(16)
      .padStart(8, '0')
      .replace(/(....)$/, '-$1')}-8b6d-${String(this.next).padStart(12, '0')}`;
  }

  one<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  /** A whole number below `end`. Mulberry32, by Tommy Ettinger. */
  below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  /** The same id in another spelling, where it has one. */
  spelled(id: string): string {
    if (!isUuid(id)) return id;
    const spellings = [id, id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, `urn:uuid:${id}`];
    return this.one(spellings)!;
  }

  /** The same name, not as it is kept. */
  named(name: string): string {
    return this.below(3) === 0 && name !== '' ? `  ${name.normalize('NFD')}\u00a0` : name;
  }

  /** The same amount with zeros that say nothing. */
  padded(amount: string): string {
    if (!/^\d+(\.\d+)?$/.test(amount) || amount.length > 30) return amount;
    return this.one([amount, `00${amount}`, amount.includes('.') ? `${amount}0` : `${amount}.00`])!;
  }
}
