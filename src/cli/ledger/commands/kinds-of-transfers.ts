/** hold, post, void, reverse, and lookup, which shows what became of a transfer. */
import { type Command } from 'commander';
import { type TransferView } from '../../../client';
import { durationMs } from '../arguments';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { type Cell, timeText } from '../output';
import { type Session } from '../session';
import {
  addCommonOptions,
  addTransferOptions,
  type CommonOptions,
  commonInput,
  send,
  transferInput,
  type TransferOptions,
} from './transfers';

interface HoldOptions extends TransferOptions {
  readonly expiresIn?: string;
}

export function addKindsOfTransfers(program: Command, session: () => Session): void {
  const hold = program
    .command('hold')
    .description('hold money for another account, to be posted or voided later')
    .argument('<from>', 'the account that pays')
    .argument('<to>', 'the account that is paid')
    .argument('<amount>', 'a decimal, such as 0.50');
  addTransferOptions(hold)
    .option('--expires-in <duration>', 'let go of it by itself after this long: 30m, 7d (default: never)')
    .action((from: string, to: string, amount: string, options: HoldOptions) => {
      const { expiresIn } = options;
      const timeout = expiresIn === undefined ? {} : { timeoutMs: durationMs('--expires-in', expiresIn) };
      return send(session(), { ...transferInput(from, to, amount, options), kind: 'pending', ...timeout }, options);
    });
  const post = program
    .command('post')
    .description('post a hold: the amount moves, the rest is let go')
    .argument('<hold>', 'id of the transfer that holds')
    .argument('[amount]', 'a part of it (default: all)');
  addCommonOptions(post).action((pendingId: string, amount: string | undefined, options: CommonOptions) =>
    send(session(), { ...commonInput(options), kind: 'post', pendingId, ...part(amount) }, options),
  );
  const lettingGo = program
    .command('void')
    .description('let go of a hold')
    .argument('<hold>', 'id of the transfer that holds');
  addCommonOptions(lettingGo).action((pendingId: string, options: CommonOptions) =>
    send(session(), { ...commonInput(options), kind: 'void', pendingId }, options),
  );
  const reverse = program
    .command('reverse')
    .description('send back what a transfer moved')
    .argument('<transfer>', 'its id; of a hold that was posted, that of the post')
    .argument('[amount]', 'a part of it (default: all)');
  addCommonOptions(reverse).action((reverses: string, amount: string | undefined, options: CommonOptions) =>
    send(session(), { ...commonInput(options), reverses, ...part(amount) }, options),
  );
  addConsistencyOptions(
    program.command('lookup').description('a transfer by its id, and what became of it').argument('<id>'),
  ).action((id: string, options: ConsistencyOptions) => lookup(session(), id, options));
}

function part(amount: string | undefined): { readonly amount?: string } {
  return amount === undefined ? {} : { amount };
}

async function lookup(session: Session, id: string, options: ConsistencyOptions): Promise<void> {
  const consistency = consistencyOf(options);
  const found = await session.withClient((client) => client.getTransfer(id, { consistency }));
  // Both have an offset: the transfer its own, and the answer that of the state it reflects.
  const { position, ...transfer } = found;
  const { hold = null, metadata } = transfer;
  const { token } = position;
  session.output.record({ ...transfer, hold, metadata: metadata.toString('base64'), asOf: position, token }, [
    ...transferRows(transfer),
    ['as of offset', position.offset],
  ]);
}

function transferRows(transfer: TransferView): [string, Cell][] {
  const { amount, amountMoved, code, hold, pendingId, reverses, reversedBy, transaction, userData } = transfer;
  const rows: [string, Cell, boolean?][] = [
    ['id', transfer.id],
    ['kind', transfer.balancing ? `${transfer.kind}, balancing` : transfer.kind],
    ['from', transfer.debitAccount],
    ['to', transfer.creditAccount],
    ['ledger', transfer.ledger],
    ['amount', amount],
    ['result', transfer.result],
    ['moved', amountMoved],
    ['hold', hold?.status, hold !== undefined],
    ['held', hold?.amount, hold !== undefined],
    ['expires at', timeText(hold?.expiresAt ?? 0), (hold?.expiresAt ?? 0) !== 0],
    ['resolved by', hold?.resolvedBy, (hold?.resolvedBy ?? '') !== ''],
    ['of the hold', pendingId, pendingId !== ''],
    ['reverses', reverses, reverses !== ''],
    ['reversed by', reversedBy.join(', '), reversedBy.length > 0],
    ['transaction', transaction, transaction !== ''],
    ['code', code],
    ['user data', userData],
    ['metadata', transfer.metadata.toString('utf8')],
    ['offset', transfer.offset],
    ['time', timeText(transfer.timestamp)],
    ['effective at', timeText(transfer.effectiveTime), transfer.effectiveTime !== 0],
    ['imported time', timeText(transfer.importedTime), transfer.importedTime !== 0],
  ];
  return rows.filter(([, , isSaid = true]) => isSaid).map(([name, value]) => [name, value]);
}
