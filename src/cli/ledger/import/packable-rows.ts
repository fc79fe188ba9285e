import { type AccountHandle, type LedgerClient, type PackableTransfer, type TransferInput } from '../../../client';
import { MAX_MINOR } from '../../../ledger/amounts';
import { normaliseId } from '../../../ledger/identifiers';

/** Most names whose handles are kept, and of one question for them. */
const MAX_NAMES = 200_000;
const NAMES_PER_CALL = 1000;
const PLAIN = /^(\d{1,38})(?:\.(\d{1,18}))?$/;

/** Finds out which transfers fit packed rows. Handles never change, so what was heard once holds. */
export class PackableRows {
  private readonly handles = new Map<string, AccountHandle>();

  constructor(private readonly client: Pick<LedgerClient, 'accountHandles'>) {}

  /** All of them as rows, or undefined where one does not fit: then all travel as messages, so that their order stays. */
  async pack(transfers: readonly (TransferInput & { readonly id: string })[]): Promise<PackableTransfer[] | undefined> {
    if (!transfers.every(isOfRow)) return undefined;
    await this.learn(transfers);
    const rows: PackableTransfer[] = [];
    for (const transfer of transfers) {
      const row = this.rowOf(transfer);
      if (row === undefined) return undefined;
      rows.push(row);
    }
    return rows;
  }

  private async learn(transfers: readonly TransferInput[]): Promise<void> {
    const wanted = new Set<string>();
    for (const { debitAccount = '', creditAccount = '' } of transfers) {
      if (!this.handles.has(debitAccount)) wanted.add(debitAccount);
      if (!this.handles.has(creditAccount)) wanted.add(creditAccount);
    }
    if (this.handles.size + wanted.size > MAX_NAMES) {
      this.handles.clear();
      for (const { debitAccount = '', creditAccount = '' } of transfers) wanted.add(debitAccount).add(creditAccount);
    }
    const names = [...wanted];
    for (let i = 0; i < names.length; i += NAMES_PER_CALL) {
      // One that was opened a moment ago may not be there yet; its transfers then travel as messages.
      const found = await this.client.accountHandles(names.slice(i, i + NAMES_PER_CALL), { consistency: 'at-least' });
      for (const account of found) this.handles.set(account.name, account);
    }
  }

  private rowOf(transfer: TransferInput & { readonly id: string }): PackableTransfer | undefined {
    const debit = this.handles.get(transfer.debitAccount ?? '');
    const credit = this.handles.get(transfer.creditAccount ?? '');
    if (!debit || !credit || debit.handle === credit.handle) return undefined;
    const { ledger = debit.ledger, code, userData, kind, balancing } = transfer;
    if (ledger !== debit.ledger || ledger !== credit.ledger) return undefined;
    const amountMinor = minorOf(transfer.amount ?? '', debit.scale);
    if (amountMinor === undefined || normaliseId(transfer.id)?.kind !== 'uuid') return undefined;
    return {
      ...{ id: transfer.id, debitHandle: debit.handle, creditHandle: credit.handle, amountMinor },
      ...(code === undefined ? {} : { code }),
      ...(userData === undefined ? {} : { userData: BigInt(userData) }),
      ...(kind === 'pending' ? { pending: true } : {}),
      ...(balancing === true ? { balancing } : {}),
    };
  }
}

/** What a row has no room for. */
function isOfRow(transfer: TransferInput): boolean {
  const { kind = 'plain', pendingId, timeoutMs, reverses, metadata, effectiveTime, importedTime } = transfer;
  const rest = pendingId ?? timeoutMs ?? reverses ?? metadata ?? effectiveTime ?? importedTime;
  return rest === undefined && (kind === 'plain' || kind === 'pending');
}

/**
 * Minor units of an amount that needs no rounding; undefined for whatever the ledger itself has to judge: zero, too many digits
 * before or behind the point, and what is no amount.
 */
export function minorOf(amount: string, scale: number): bigint | undefined {
  const [, whole, fraction = ''] = PLAIN.exec(amount) ?? [];
  if (whole === undefined || fraction.length > scale) return undefined;
  const minor = BigInt(whole + fraction.padEnd(scale, '0'));
  return minor > 0n && minor <= MAX_MINOR ? minor : undefined;
}
