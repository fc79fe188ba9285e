import { type ClusterProcess } from '../../../src/bench/cluster-process';
import { type Command } from '../../../src/ledger/commands';
import { clientDefinition } from '../../../src/proto/load';
import { BURNS, type ModelOutcome } from '../../ledger/model/facts';
import { Model } from '../../ledger/model/model';
import { expectEqual } from '../../ledger/long-history/agreement';
import { changeAccount, openSome, start } from './accounts';
import { type Answer, Doors, type Row } from './doors';
import { Draw } from './draw';
import { commandsOf, isUuid, type Said, type Unit } from './said';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const NODES = 3;
/** What `POST /api/v1/transfers` calls by a name of its own. */
const OF_PAYMENTS: Readonly<Record<string, string>> = {
  amount_must_not_be_zero: 'amount_lt_min',
  id_invalid: 'request_id_invalid',
};

/**
 * Random transfers through every door of three nodes, one call at a time. The model is told of each what reached the log, and has
 * to answer as the door did. Throws an Error that says what differs.
 */
export class DoorsHistory {
  readonly model = new Model();
  readonly draw: Draw;
  readonly doors: Doors;
  /** How often each door was used, and each result came. */
  readonly tally = new Map<string, number>();
  /** The offset that the next record takes: nothing but what was asked for here may be in the log. */
  nextOffset = 0;
  time = 1;
  /** After the record at that offset: what was posted on each account then. */
  readonly past: { readonly offset: number; readonly posted: ReadonlyMap<string, bigint> }[] = [];
  readonly ids = new Set<string>();

  constructor(
    cluster: ClusterProcess,
    private readonly seed: number,
  ) {
    this.draw = new Draw(seed);
    this.doors = new Doors(cluster, this.draw, (name) => this.account(name));
  }

  async run(calls: number): Promise<void> {
    await start(this);
    await openSome(this);
    for (let call = 0; call < calls; call++) {
      if (this.draw.below(12) === 0) await changeAccount(this);
      else await this.transfers(call);
      if (call % 10 === 0) this.rememberPast();
    }
    this.rememberPast();
  }

  /** Which node is asked. */
  node(): number {
    return this.draw.below(NODES);
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  /** What the model says of commands that are in the log. */
  decide(commands: readonly Command[]): ModelOutcome[] {
    const outcomes = this.model.applyAll(commands, this.nextOffset, this.time);
    this.nextOffset += commands.length;
    return outcomes;
  }

  private async transfers(call: number): Promise<void> {
    const units = this.units();
    for (const { transfers } of units) for (const { id } of transfers) this.ids.add(id);
    const node = this.node();
    const door = this.doorFor(units);
    const where = `call ${call} of seed ${this.seed}, ${door} of node ${node + 1}: ${text(units)}`;
    this.count(door);
    const said = door === 'payment' ? [defaulted(units[0]!)] : units;
    const rows = door === 'rows' ? this.rowsOf(units) : [];
    const answers = await this.ask(door, node, units, rows);
    const faults = said
      .flatMap(faultsOf)
      .map((fault) => fault && ((door === 'payment' && OF_PAYMENTS[fault]) || fault));
    expectEqual(answers.length, faults.length, `the number of answers to ${where}`);
    const commands =
      door === 'rows' ? said.flatMap(commandsOf).map((one, i) => inRow(one, rows[i]!)) : said.flatMap(commandsOf);
    const logged = commands.filter((_, i) => faults[i] === undefined);
    if (logged.length > 0) await this.learnTime(answers, commands, node);
    const outcomes = this.decide(logged);
    answers.forEach((answer, i) => {
      this.count(answer.replayed === true ? 'replayed' : answer.result);
      const fault = faults[i];
      if (fault === undefined) this.compare(answer, outcomes.shift()!, `transfer ${i} of ${where}`);
      else expectEqual([answer.result, answer.offset ?? -1], [fault, -1], `transfer ${i} of ${where}`);
    });
  }

  /** One unit, or several for a call that takes them; no group twice, because beside itself it would be a larger one. */
  private units(): Unit[] {
    if (this.draw.below(8) === 0) {
      const rows = Array.from({ length: 30 }, () => this.draw.unit()).filter((unit) => this.fitsRows(unit));
      if (rows.length > 0) return rows;
    }
    const units = [this.draw.unit()];
    const most = this.draw.below(3) === 0 ? this.draw.below(8) : 0;
    for (let i = 0; i < most; i++) {
      const unit = this.draw.unit();
      if (unit.group === '' || units.every(({ group }) => group !== unit.group)) units.push(unit);
    }
    return units;
  }

  private doorFor(units: readonly Unit[]): string {
    const isLone = units.length === 1;
    const [first] = units as [Unit];
    const [said] = first.transfers as [Said];
    const possible = ['call', 'batch'];
    if (units.every((unit) => this.fitsRows(unit))) possible.push(...(isLone ? ['rows'] : ['rows', 'rows', 'rows']));
    if (isLone && first.group !== '') possible.push('transaction', 'transaction');
    if (isLone && first.group === '' && isUuid(said.id)) possible.push('payment', 'payment');
    const hasCommand =
      first.group !== '' ||
      (said.fault === undefined && (said.kind === 'plain' || said.kind === 'pending' || said.from === ''));
    if (isLone && hasCommand) possible.push('command');
    return this.draw.one(possible)!;
  }

  private ask(door: string, node: number, units: readonly Unit[], rows: readonly Row[]): Promise<Answer[]> {
    const { doors } = this;
    if (door === 'call') return doors.call(node, units);
    if (door === 'batch') return doors.batch(node, units);
    if (door === 'rows') return doors.rows(node, rows);
    return door === 'command' ? doors.command(node, units[0]!) : doors.http(node, units[0]!);
  }

  private account(name: string): number {
    return this.model.facts.accounts.findIndex((account) => account.name === name) + 1;
  }

  private fitsRows({ group, transfers }: Unit): boolean {
    const [said] = transfers as [Said];
    const isRow = said.kind === 'plain' || (said.kind === 'pending' && said.timeoutMs === 0);
    const rest = said.metadata === '' && said.effectiveTime === 0 && said.importedTime === 0;
    const [from, to] = [this.account(said.from), this.account(said.to)];
    const scale = this.model.facts.accounts[from - 1]?.ledger.scale ?? 0;
    const areThere = from > 0 && to > 0 && (said.amount.split('.')[1] ?? '').length <= scale;
    return group === '' && isRow && rest && said.fault === undefined && isUuid(said.id) && areThere;
  }

  private rowsOf(units: readonly Unit[]): Row[] {
    return units.map(({ transfers: [one] }) => {
      const said = one as Said;
      const bytes = Buffer.alloc(64);
      const { scale } = this.model.facts.accounts[this.account(said.from) - 1]!.ledger;
      const [whole = '', digits = ''] = said.amount.split('.');
      const minor = BigInt(whole + digits.padEnd(scale, '0'));
      bytes.write(said.id.replaceAll('-', ''), 'hex');
      bytes.writeBigUInt64LE(BigInt(this.account(said.from)), 16);
      bytes.writeBigUInt64LE(BigInt(this.account(said.to)), 24);
      bytes.writeBigUInt64LE(minor & (2n ** 64n - 1n), 32);
      bytes.writeBigUInt64LE(minor >> 64n, 40);
      bytes.writeBigUInt64LE(said.userData, 48);
      bytes.writeUInt32LE(said.code, 56);
      bytes.writeUInt32LE((said.kind === 'pending' ? 1 : 0) + (said.balancing ? 8 : 0), 60);
      return { bytes, minor };
    });
  }

  /** A door that tells no time is asked for a transfer that it has just bound: it has the offset that is expected, too. */
  private async learnTime(answers: readonly Answer[], commands: readonly Command[], node: number): Promise<void> {
    const told = answers.find(({ replayed, timestamp = 0 }) => replayed === false && timestamp > 0);
    if (told?.timestamp !== undefined) {
      this.time = told.timestamp;
      return;
    }
    const bound = answers.findIndex(
      ({ result, replayed }) => replayed !== true && (result === 'ok' || BURNS.has(result)),
    );
    const command = commands[bound];
    if (command === undefined || !('id' in command)) return;
    const id = command.id.kind === 'text' ? command.id.text : command.id.bytes.toString('hex');
    const { transfer } = await this.doors.grpc.at(node).unary(LEDGER.GetTransfer, { id }, 60_000);
    this.time = Number(transfer?.timestamp);
  }

  private compare(answer: Answer, outcome: ModelOutcome, where: string): void {
    const { result, replayed, amount, effect, offset, time } = outcome;
    const moved = effect === 'held' || effect === 'released' ? 0n : amount;
    const held = effect === 'held' ? amount : 0n;
    const expected = {
      ...{ result, replayed: answer.replayed === undefined ? undefined : replayed },
      ...{ moved: answer.moved ? moved : undefined, held: answer.held ? held : undefined },
      ...{ offset: answer.offset === undefined ? undefined : offset },
      ...{ timestamp: answer.timestamp === undefined ? undefined : time },
    };
    const found = { ...answer, moved: minorOf(answer.moved), held: minorOf(answer.held) };
    const { moved: m, held: h, offset: o, timestamp: t } = found;
    expectEqual(
      { result: found.result, replayed: found.replayed, moved: m, held: h, offset: o, timestamp: t },
      expected,
      where,
    );
  }

  private rememberPast(): void {
    const posted = this.model.facts.accounts.map(({ name, credits, debits }) => [name, credits - debits] as const);
    this.past.push({ offset: this.nextOffset - 1, posted: new Map(posted) });
  }
}

/** What a payment over HTTP says where it says nothing. */
function defaulted(unit: Unit): Unit {
  const [said] = unit.transfers as [Said];
  const isOfItsOwn = said.kind === 'plain' || said.kind === 'pending';
  return isOfItsOwn && said.ledger === '' ? { ...unit, transfers: [{ ...said, ledger: 'USD' }] } : unit;
}

/** What is refused before the log: of a group all of it. */
function faultsOf({ group, transfers }: Unit): (string | undefined)[] {
  const faults = transfers.map(({ fault }) => fault);
  if (group === '' || faults.every((fault) => fault === undefined)) return faults;
  return faults.map((fault) => fault ?? 'linked_transfer_failed');
}

function inRow(command: Command, { bytes, minor }: Row): Command {
  if (command.kind !== 'transfer') throw new Error('Only plain and pending transfers travel in rows.');
  const handle = (at: number): { handle: number } => ({ handle: Number(bytes.readBigUInt64LE(at)) });
  return { ...command, debit: handle(16), credit: handle(24), amount: { minor }, ledger: '' };
}

/** Amounts have all digits of their ledger; empty: none is said. */
function minorOf(amount: string | undefined): bigint | undefined {
  return amount ? BigInt(amount.replace('.', '')) : undefined;
}

function text(units: readonly Unit[]): string {
  return JSON.stringify(units, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}
