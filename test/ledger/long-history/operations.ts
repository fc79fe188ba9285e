import { type Command } from '../../../src/ledger/command-codec';
import { formatId } from '../../../src/ledger/identifiers';
import {
  createLedger,
  EXPIRE,
  linked,
  openAccount,
  pending,
  post,
  reversal,
  transfer,
  update,
  uuid,
  voids,
} from '../ledger-under-test';

const ACCOUNTS = 24;
const LEDGERS = ['USD', 'JPY', 'WEI', 'DEV'];
/** Commands that may be said again, and transfers that may be posted, voided or reversed: the newest ones. */
const REMEMBERED = 400;

/** Operations of every kind from a seed: new ones, repeats, groups, and what refers to what was done before. */
export class Operations {
  private readonly said: Command[][] = [];
  private readonly made: string[] = [];
  private readonly held: string[] = [];
  private next = 0;
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  start(): Command[] {
    return [
      createLedger('USD'),
      createLedger('JPY', { scale: 0, min: -500n, max: 5000n }),
      createLedger('WEI', { scale: 18, min: undefined }),
      createLedger('DEV', { scale: 2, autoOpen: true, rounding: 1, min: undefined }),
      ...LEDGERS.slice(0, 3).map((ledger) => openAccount(`bank ${ledger}`, { ledger, min: 'none', max: 'none' })),
    ];
  }

  /** The commands of one batch: at most `most` single ones and whole groups. */
  batch(most = 300): Command[] {
    const commands: Command[] = [];
    for (let left = 1 + this.below(most); left > 0; left--) commands.push(...this.unit());
    return commands;
  }

  private unit(): Command[] {
    const dice = this.below(1000);
    if (dice < 12) return this.again();
    if (dice < 20) return [this.open()];
    if (dice < 30) return [this.change()];
    if (dice < 34) return [EXPIRE];
    const unit = dice < 60 ? this.group() : [this.transfer()];
    this.said[this.below(REMEMBERED)] = unit;
    return unit;
  }

  private again(): Command[] {
    const unit = this.said[this.below(REMEMBERED)];
    if (unit === undefined) return [EXPIRE];
    const [only] = unit;
    if (only?.kind === 'transfer' && only.group !== undefined && unit.length > 1 && this.below(4) === 0) {
      return linked(formatId(only.group.id), ...[...unit].reverse());
    }
    const change = this.below(4) === 0 && unit.length === 1 && only?.kind === 'transfer' && only.group === undefined;
    if (!change) return unit;
    const changes = [{ code: 99 }, { amount: { minor: 77n } }, { credit: { name: this.account('USD') } }];
    return [{ ...only, ...changes[this.below(3)] }];
  }

  private group(): Command[] {
    const members = Array.from({ length: 1 + this.below(4) }, () => this.transfer());
    const [known] = this.said[this.below(REMEMBERED)] ?? [];
    if (known?.kind === 'transfer' && this.below(6) === 0) members.push(known);
    return linked(this.id(), ...members);
  }

  private transfer(): Command {
    const dice = this.below(100);
    const id = this.below(60) === 0 ? this.earlier() : this.id();
    if (dice >= 70) return this.referring(id, dice);
    const ledger = LEDGERS[this.below(LEDGERS.length)] as string;
    const from = this.below(3) === 0 ? `bank ${ledger}` : this.account(ledger);
    const to = this.account(this.below(50) === 0 ? 'USD' : ledger);
    const metadata = Buffer.alloc(this.next % 3 === 0 ? this.next % 250 : 0, id);
    const options = { id, from, to, amount: this.amount(ledger), ledger, code: this.below(3), metadata };
    this.made[this.below(REMEMBERED)] = id;
    if (dice < 35)
      return transfer({ ...options, ...(this.below(9) === 0 ? { effectiveTime: 1 + this.below(999) } : {}) });
    const flags = dice < 40 ? 8 : 0;
    if (dice < 40) return transfer({ ...options, flags, importedTime: this.below(2) * 7 });
    this.held[this.below(REMEMBERED / 4)] = id;
    return pending({ ...options, flags: this.below(8) === 0 ? 8 : 0, timeoutMs: this.below(3) * this.below(40) });
  }

  private referring(id: string, dice: number): Command {
    const isReversal = dice >= 92;
    const hold = this.below(5) === 0 ? undefined : this.held[this.below(REMEMBERED / 4)];
    const to = isReversal ? this.earlier() : (hold ?? this.earlier());
    const part = {
      ...(this.below(4) === 0 ? { amount: BigInt(1 + this.below(200)) } : {}),
      ...(this.below(15) === 0 ? { from: this.account('USD') } : {}),
    };
    this.made[this.below(REMEMBERED)] = id;
    if (dice < 85) return post({ id, to, ...part });
    return isReversal ? reversal({ id, to, ...part }) : voids({ id, to });
  }

  private open(): Command {
    const ledger = LEDGERS[this.below(3)] as string;
    const max = ['none', '100', '5000'][this.below(3)] as string;
    return openAccount(this.account(ledger), { ledger, min: this.below(2) === 0 ? '-50' : '0', max });
  }

  private change(): Command {
    const closed = this.below(5) === 0 ? { closed: true } : { closed: false };
    const limits = this.below(2) === 0 ? { min: `-${this.below(80)}` } : { max: String(this.below(9000)) };
    return update(this.account(LEDGERS[this.below(3)] as string), this.below(2) === 0 ? closed : limits);
  }

  private amount(ledger: string): string | bigint {
    const dice = this.below(200);
    if (dice === 0) return 10n ** 38n - 1n - BigInt(this.below(3));
    if (dice === 1) return BigInt(2 ** 52) + BigInt(this.below(4)) - 2n;
    if (dice === 2) return '0.005';
    if (dice < 100) return BigInt(1 + this.below(3000));
    return ledger === 'JPY' ? String(1 + this.below(60)) : `${this.below(60)}.${1 + this.below(9)}`;
  }

  private account(ledger: string): string {
    return `${ledger} ${this.below(ACCOUNTS)}`;
  }

  private id(): string {
    this.next++;
    return this.next % 5 === 0 ? `order ${this.next}` : uuid(this.next);
  }

  private earlier(): string {
    return this.made[this.below(REMEMBERED)] ?? 'nothing';
  }

  /** A whole number below `end`. Mulberry32, by Tommy Ettinger: 32 bits of state are enough to choose operations. */
  private below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }
}
