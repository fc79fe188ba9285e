import type { TransferItem } from '../../src/api/transfer-item';
import type { Command } from '../../src/ledger/command-codec';
import { formatId } from '../../src/ledger/identifiers';
import { decodeOutcomeRow, OUTCOME_ROW_BYTES } from '../../src/ledger/outcome-row';
import { ResultCode, burnsId, resultName } from '../../src/ledger/result-codes';
import { TransferFlag } from '../../src/ledger/transfer-fields';
import type { SeededRandom } from '../support/seeded-random';
import { metadataOf } from './metadata';
import { KindsHistory, type KindsOperation, textId } from './kinds-history';
import type { SimClient } from './sim-client';
import { MILLISECOND, type VirtualTime } from './virtual-time';
import { violated } from './violation';

/** Nobody else moves money of these, so that what they come to can be told apart. */
export const KINDS_BANK = 'kinds-bank';
const ACCOUNTS = ['kinds-1', 'kinds-2', 'kinds-3'] as const;
export const KINDS_ACCOUNTS: readonly string[] = [KINDS_BANK, ...ACCOUNTS];
/** A transfer that was made lately is what others refer to; now and then one that is not there. */
const RECENT = 30;
const MOST_TIMEOUT_MILLIS = 2_000;
const OPENING_TRIES = 10;

/** A program that makes holds, posts and voids them, reverses, links transfers, and closes accounts and opens them again. */
export class KindsClient {
  readonly history = new KindsHistory();
  private ids = 0;

  constructor(
    private readonly writer: SimClient,
    private readonly random: SeededRandom,
    private readonly time: VirtualTime,
  ) {}

  async prepare(): Promise<boolean> {
    for (const name of KINDS_ACCOUNTS) {
      const minimum = name === KINDS_BANK ? undefined : 0n;
      let opened = false;
      // Whom it asks may be a machine that was never started; opening once more is answered as the first time.
      for (let left = OPENING_TRIES; !opened && left > 0; left -= 1) {
        opened = await this.writer.openAccount(name, minimum, undefined, false);
      }
      if (!opened) return false;
    }
    return true;
  }

  /** Works until told to stop; what it has begun then, it brings to an end. */
  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.time.sleep(this.random.below(80 * MILLISECOND));
      const dice = this.random.next();
      if (dice < 0.6) await this.submit(Array.from({ length: 1 + this.random.below(3) }, () => this.draw()));
      else if (dice < 0.8) await this.submit(this.drawGroup());
      else if (dice < 0.9) await this.repeat();
      else await this.writer.write([this.drawChange()], () => undefined);
    }
  }

  private async submit(commands: readonly TransferItem[]): Promise<void> {
    const operations = commands.map((command) => this.history.call(command));
    const answer = await this.writer.write(commands, () => {
      for (const operation of operations) operation.doubtful = true;
    });
    for (const [i, operation] of operations.entries()) {
      if (answer) operation.outcome = decodeOutcomeRow(answer.outcomes, i * OUTCOME_ROW_BYTES);
    }
  }

  /** What was done, or refused for good, is answered as the first time, also a member of a group that is asked for alone. */
  private async repeat(): Promise<void> {
    const old = this.history.operations[this.random.below(this.history.operations.length)];
    if (!old?.outcome || !(old.outcome.result === ResultCode.OK || burnsId(old.outcome.result))) return;
    const answer = await this.writer.write([{ ...old.command, group: undefined }], () => undefined);
    if (!answer) return;
    const { result, offset, replayed, amountMoved } = decodeOutcomeRow(answer.outcomes);
    const first = old.outcome;
    const isSame = result === first.result && offset === first.offset && amountMoved === first.amountMoved;
    if (replayed && isSame) return;
    const id = formatId(old.command.id);
    violated('idempotency', `${id} was ${resultName(first.result)}, and again is ${resultName(result)}`);
  }

  private drawGroup(): TransferItem[] {
    this.ids += 1;
    const id = textId(`kinds-group-${this.ids}`);
    const size = 2 + this.random.below(3);
    return Array.from({ length: size }, (_, index) => ({ ...this.draw(), group: { id, index, size } }));
  }

  private draw(): TransferItem {
    this.ids += 1;
    const name = `kinds-${this.ids}`;
    const rest = { id: textId(name), ledger: '', code: 0, userData: 0n, metadata: metadataOf(name) };
    const dice = this.random.next();
    const amount = { minor: BigInt(1 + this.random.below(2_000)) };
    if (dice < 0.7) {
      const debit = this.random.chance(0.5) ? KINDS_BANK : this.account();
      const credit = this.account(debit);
      const holds = dice < 0.4;
      const timeout = holds && this.random.chance(0.7) ? { timeoutMs: 1 + this.random.below(MOST_TIMEOUT_MILLIS) } : {};
      const balancing = this.random.chance(0.15) ? TransferFlag.BALANCING : 0;
      const flags = (holds ? TransferFlag.PENDING : 0) | balancing;
      return { kind: 'transfer', debit: { name: debit }, credit: { name: credit }, amount, flags, ...timeout, ...rest };
    }
    const action = dice < 0.8 ? 'post' : dice < 0.87 ? 'void' : 'reverse';
    const part = action !== 'void' && this.random.chance(0.4) ? amount : undefined;
    const referring = { kind: 'refer', action, to: this.earlier(action), debit: undefined, credit: undefined } as const;
    return { ...referring, amount: part, ...rest };
  }

  /** What one may refer to: a hold that was made lately, or something that moved; or what was never there. */
  private earlier(action: 'post' | 'void' | 'reverse'): TransferItem['id'] {
    const lately = this.history.operations
      .slice(-RECENT)
      .filter(({ command }) => isHold(command) === (action !== 'reverse'));
    const found = lately[this.random.below(lately.length + 1)];
    return found?.command.id ?? textId('kinds-never');
  }

  private drawChange(): Command {
    const account = { name: this.account() };
    const closed = this.random.chance(0.15);
    return { kind: 'update_account', account, min: undefined, max: undefined, closed };
  }

  private account(other?: string): string {
    const names = ACCOUNTS.filter((name) => name !== other);
    return names[this.random.below(names.length)]!;
  }
}

function isHold(command: KindsOperation['command']): boolean {
  return command.kind === 'transfer' && (command.flags & TransferFlag.PENDING) !== 0;
}
