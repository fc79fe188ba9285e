import {
  type Command,
  type GroupPlace,
  type LimitSpec,
  type ReferringCommand,
  type TransferCommand,
} from '../../../src/ledger/command-codec';
import { readDecimal, toMinor } from './decimals';
import {
  BURNS,
  contentOf,
  keyOf,
  type Content,
  type Facts,
  type ModelAccount,
  type ModelHold,
  type ModelLedger,
  type ModelOutcome,
} from './facts';
import { rememberFacts } from './undo';
import { decide, difference, find, shapeFault, type Decision } from './transfers';

type Of<K extends Command['kind']> = Extract<Command, { kind: K }>;
type AnyTransfer = TransferCommand | ReferringCommand;

/**
 * The rules of money once more, slow and obvious, written from docs/rules-of-money.md and not from the code: objects, maps
 * and bigints. What it says is what the state machine must say.
 */
export class Model {
  facts: Facts = {
    ledgers: new Map(),
    accounts: [],
    transfers: new Map(),
    holds: [],
    holdOf: new Map(),
    groups: new Map(),
  };
  private offset = 0;
  private time = 0;
  private last: Decision | undefined;

  /** A batch: what it answers to each command. Members of a group stand together in it. */
  applyAll(commands: readonly Command[], base: number, time: number): ModelOutcome[] {
    const outcomes: ModelOutcome[] = [];
    while (outcomes.length < commands.length) {
      const command = commands[outcomes.length] as Command;
      this.offset = base + outcomes.length;
      this.time = time;
      const group = 'group' in command ? command.group : undefined;
      if (group === undefined) outcomes.push(this.apply(command));
      else
        outcomes.push(
          ...this.group(group, commands.slice(outcomes.length, outcomes.length + group.size) as AnyTransfer[]),
        );
    }
    return outcomes;
  }

  private apply(command: Command): ModelOutcome {
    switch (command.kind) {
      case 'create_ledger':
        return this.createLedger(command);
      case 'open_account':
        return this.openAccount(command);
      case 'update_account':
        return this.updateAccount(command);
      case 'expire_hold':
        return this.expire();
      case 'set_dedup_age':
        throw new Error('The model remembers for ever.');
      default:
        return this.transfer(contentOf(command));
    }
  }

  private answer(result: string, amount = 0n): ModelOutcome {
    return { result, replayed: false, amount, effect: 'none', hold: 0, offset: this.offset, time: this.time };
  }

  private createLedger(command: Of<'create_ledger'>): ModelOutcome {
    const { code, scale, autoOpen, defaultMinBalance: min, defaultMaxBalance: max } = command;
    const halfUp = command.rounding === 1;
    const old = this.facts.ledgers.get(code);
    if (old === undefined) {
      this.facts.ledgers.set(code, { code, scale, autoOpen, halfUp, min, max, offset: this.offset, time: this.time });
      return this.answer('ok');
    }
    if (old.scale !== scale) return this.answer('exists_with_different_scale');
    if (old.autoOpen !== autoOpen || old.halfUp !== halfUp) return this.answer('exists_with_different_options');
    if (old.min !== min || old.max !== max) return this.answer('exists_with_different_limits');
    return { ...this.answer('ok'), replayed: true, offset: old.offset, time: old.time };
  }

  private limit(spec: LimitSpec, side: 'min' | 'max', ledger: ModelLedger): bigint | undefined | string {
    if (spec.kind === 'none') return undefined;
    if (spec.kind === 'default') return ledger[side];
    const sign = spec.text.startsWith('-') ? -1n : 1n;
    const minor = toMinor(readDecimal(spec.text.replace('-', '')), ledger.scale, false);
    return typeof minor === 'string' ? minor : sign * minor;
  }

  private openAccount(command: Of<'open_account'>): ModelOutcome {
    const old = find(this.facts, { name: command.name });
    const ledger = this.facts.ledgers.get(command.ledger);
    const metadata = command.metadata.toString('hex');
    const imported = command.importedTime ?? 0;
    if (old === undefined && ledger === undefined) return this.answer('ledger_not_found');
    if (old === undefined && imported > this.time) return this.answer('imported_time_in_future');
    if (old !== undefined && old.ledger !== ledger) return this.answer('exists_with_different_ledger');
    const known = ledger as ModelLedger;
    const [min, max] = [this.limit(command.min, 'min', known), this.limit(command.max, 'max', known)];
    const fault = [min, max].find((limit) => typeof limit === 'string');
    if (old === undefined) {
      if (fault !== undefined) return this.answer(fault);
      this.open({
        name: command.name,
        ledger: known,
        min: min as bigint,
        max: max as bigint,
        userData: command.userData,
        metadata,
        imported,
      });
      return this.answer('ok');
    }
    if (fault !== undefined || old.min !== min || old.max !== max) return this.answer('exists_with_different_limits');
    if (old.userData !== command.userData) return this.answer('exists_with_different_user_data');
    if (old.metadata !== metadata) return this.answer('exists_with_different_metadata');
    if (old.imported !== imported) return this.answer('exists_with_different_imported_time');
    return { ...this.answer('ok'), replayed: true, offset: old.offset, time: old.time };
  }

  private open(
    account: Pick<ModelAccount, 'name' | 'ledger' | 'min' | 'max' | 'userData' | 'metadata' | 'imported'>,
  ): ModelAccount {
    const nothing = { debits: 0n, credits: 0n, debitsHeld: 0n, creditsHeld: 0n, closed: false };
    const opened = { ...account, ...nothing, offset: this.offset, time: this.time };
    this.facts.accounts.push(opened);
    return opened;
  }

  private updateAccount(command: Of<'update_account'>): ModelOutcome {
    const account = find(this.facts, command.account);
    if (account === undefined) return this.answer('account_not_found');
    const min = command.min === undefined ? account.min : this.limit(command.min, 'min', account.ledger);
    const max = command.max === undefined ? account.max : this.limit(command.max, 'max', account.ledger);
    if (typeof min === 'string') return this.answer(min);
    if (typeof max === 'string') return this.answer(max);
    const posted = account.credits - account.debits;
    const isBelow = min !== undefined && posted - account.debitsHeld < min;
    if (isBelow || (max !== undefined && posted + account.creditsHeld > max)) return this.answer('limit_violated');
    Object.assign(account, { min, max, closed: command.closed ?? account.closed });
    return this.answer('ok');
  }

  private expire(): ModelOutcome {
    const due = this.facts.holds.filter((hold) => hold.status === 'pending' && hold.expiresAt <= this.time);
    const hold = due.sort((a, b) => a.expiresAt - b.expiresAt || a.number - b.number)[0];
    if (hold === undefined) return this.answer('pending_transfer_not_found');
    hold.status = 'expired';
    hold.debit.debitsHeld -= hold.amount;
    hold.credit.creditsHeld -= hold.amount;
    return { ...this.answer('ok', hold.amount), effect: 'released', hold: hold.number };
  }

  private transfer(content: Content): ModelOutcome {
    const misshapen = shapeFault(this.facts, content);
    if (misshapen !== undefined) return this.answer(misshapen);
    const first = this.facts.transfers.get(content.id);
    if (first !== undefined) {
      const field = difference(this.facts, first, content);
      return field === undefined ? { ...first.outcome, replayed: true } : this.answer(`exists_with_different_${field}`);
    }
    const decision = decide(this.facts, content, this.time);
    this.last = decision;
    if (decision.result === 'ok') return this.perform(content, decision);
    const outcome = this.answer(decision.result);
    if (BURNS.has(outcome.result)) this.remember(content, decision, outcome, 0n);
    return outcome;
  }

  private remember(content: Content, decision: Decision, outcome: ModelOutcome, moved: bigint): void {
    const { debit, credit, ledger, minor } = decision;
    this.facts.transfers.set(content.id, { content, outcome, debit, credit, ledger, minor, moved, reversed: 0n });
  }

  private perform(content: Content, decision: Decision): ModelOutcome {
    const ledger = decision.ledger as ModelLedger;
    const opened = (ref: Content['debit']): ModelAccount =>
      this.open({
        name: (ref as { name: string }).name,
        ledger,
        min: ledger.min,
        max: ledger.max,
        userData: 0n,
        metadata: '',
        imported: 0,
      });
    const debit = (decision.debit ??= opened(content.debit));
    const credit = (decision.credit ??= opened(content.credit));
    const { amount, hold, reversed } = decision;
    const outcome = this.answer('ok', amount);
    let moved = amount;
    if (content.kind === 'pending') {
      const expiresAt = content.timeoutMs === 0 ? Infinity : this.time + content.timeoutMs * 1000;
      const number = this.facts.holds.length + 1;
      const made: ModelHold = { number, transfer: content.id, amount, debit, credit, expiresAt, status: 'pending' };
      this.facts.holds.push(made);
      this.facts.holdOf.set(content.id, made);
      outcome.hold = number;
      outcome.effect = 'held';
      debit.debitsHeld += amount;
      credit.creditsHeld += amount;
      moved = 0n;
    } else if (hold !== undefined) {
      const posts = content.kind === 'post';
      outcome.hold = hold.number;
      outcome.effect = posts ? (amount < hold.amount ? 'posted_part' : 'posted') : 'released';
      hold.status = posts ? 'posted' : 'voided';
      debit.debitsHeld -= hold.amount;
      credit.creditsHeld -= hold.amount;
      moved = posts ? amount : 0n;
    }
    debit.debits += moved;
    credit.credits += moved;
    if (reversed !== undefined) reversed.reversed += moved;
    this.remember(content, decision, outcome, moved);
    return outcome;
  }

  private group({ id }: GroupPlace, members: readonly AnyTransfer[]): ModelOutcome[] {
    const base = this.offset;
    const contents = members.map(contentOf);
    const text = JSON.stringify(contents, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const known = this.facts.groups.get(keyOf(id));
    const each = (outcome: (i: number) => ModelOutcome): ModelOutcome[] =>
      members.map((_, i) => {
        this.offset = base + i;
        return outcome(i);
      });
    if (known !== undefined) {
      if (known.content !== text) return each(() => this.answer('exists_with_different_transfers'));
      return known.outcomes.map((outcome) => ({ ...outcome, replayed: true }));
    }
    const undo = rememberFacts(this.facts, contents);
    const outcomes: ModelOutcome[] = [];
    for (const [i, content] of contents.entries()) {
      this.offset = base + i;
      const wasKnown = this.facts.transfers.has(content.id);
      const outcome = this.transfer(content);
      if (outcome.result === 'ok' && !wasKnown) {
        outcomes.push(outcome);
        continue;
      }
      const result = outcome.result === 'ok' ? 'exists' : outcome.result;
      undo();
      this.offset = base + i;
      const burns = !wasKnown && BURNS.has(result);
      if (burns) this.burn(content, result);
      const refused = each((j) => this.answer(j === i ? result : 'linked_transfer_failed'));
      if (burns) this.facts.groups.set(keyOf(id), { content: text, outcomes: refused });
      return refused;
    }
    this.facts.groups.set(keyOf(id), { content: text, outcomes });
    return outcomes;
  }

  /** Remembers a refusal of a group's member, in the state before the group: accounts that the group opened are not there. */
  private burn(content: Content, result: string): void {
    const { last } = this;
    if (last === undefined) throw new Error('A member that is burned was decided.');
    const again = (account: ModelAccount | undefined): ModelAccount | undefined => find(this.facts, account);
    const ledger = last.ledger && this.facts.ledgers.get(last.ledger.code);
    const decision = { ...last, debit: again(last.debit), credit: again(last.credit), ledger };
    this.remember(content, decision, this.answer(result), 0n);
  }
}
