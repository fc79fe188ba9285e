import { u128ToBytes, i128ToBytes } from '../../src/ledger/amounts';
import { type AccountRef, type AmountSpec, type Command } from '../../src/ledger/command-codec';
import { type TransferId } from '../../src/ledger/identifiers';

/** A command as the published proto says it. */
export function published(command: Command): object {
  if (command.kind === 'create_ledger') {
    const { code, scale, rounding, autoOpen: auto_open, defaultMinBalance: min, defaultMaxBalance: max } = command;
    const bytes = (limit: bigint | undefined): Buffer => (limit === undefined ? Buffer.alloc(0) : i128ToBytes(limit));
    return {
      create_ledger: {
        code,
        scale,
        rounding,
        auto_open,
        default_min_balance: bytes(min),
        default_max_balance: bytes(max),
      },
    };
  }
  if (command.kind === 'open_account') {
    const { name, ledger, min, max, metadata } = command;
    const kinds = ['default', 'none', 'given'];
    return {
      open_account: {
        name,
        ledger,
        min_kind: kinds.indexOf(min.kind),
        max_kind: kinds.indexOf(max.kind),
        min_balance: min.kind === 'given' ? min.text : '',
        max_balance: max.kind === 'given' ? max.text : '',
        user_data: command.userData.toString(),
        metadata,
        imported_time: command.importedTime ?? 0,
      },
    };
  }
  if (command.kind === 'update_account') {
    const { account, min, max, closed } = command;
    const kinds = ['keep', 'none', 'given', 'default'];
    return {
      update_account: {
        ...('name' in account ? { account: account.name } : { handle: account.handle }),
        min_kind: kinds.indexOf(min?.kind ?? 'keep'),
        max_kind: kinds.indexOf(max?.kind ?? 'keep'),
        min_balance: min?.kind === 'given' ? min.text : '',
        max_balance: max?.kind === 'given' ? max.text : '',
        closed: closed === undefined ? 0 : closed ? 1 : 2,
      },
    };
  }
  if (command.kind === 'expire_hold') return { expire_hold: {} };
  if (command.kind === 'set_dedup_age') return { set_dedup_age: { age_ms: command.ageMs } };
  return publishedTransfer(command);
}

type AnyTransfer = Extract<Command, { kind: 'transfer' | 'refer' }>;

function publishedTransfer(command: AnyTransfer): object {
  const { id, debit, credit, amount, group } = command;
  return {
    transfer: {
      ...named('', id),
      ...account('debit', debit),
      ...account('credit', credit),
      ...amountOf(amount),
      ledger: command.ledger,
      code: command.code,
      user_data: command.userData.toString(),
      metadata: command.metadata,
      ...kindOf(command),
      effective_time: command.effectiveTime ?? 0,
      imported_time: command.importedTime ?? 0,
      ...(group && { ...named('group_', group.id), group_index: group.index, group_size: group.size }),
    },
  };
}

function kindOf(command: AnyTransfer): object {
  if (command.kind === 'transfer') return { flags: command.flags, timeout_ms: command.timeoutMs ?? 0 };
  const { action, to } = command;
  if (action === 'reverse') return to.kind === 'uuid' ? { reverses: to.bytes } : { reverses_text_id: to.text };
  return { flags: action === 'post' ? 2 : 4, ...named('pending_', to) };
}

function account(side: string, ref: AccountRef | undefined): object {
  if (ref === undefined) return {};
  return 'name' in ref ? { [`${side}_account`]: ref.name } : { [`${side}_handle`]: ref.handle };
}

function amountOf(amount: AmountSpec | undefined): object {
  if (amount === undefined) return {};
  return 'text' in amount ? { amount: amount.text } : { amount_minor: u128ToBytes(amount.minor) };
}

function named(prefix: string, id: TransferId): object {
  return id.kind === 'uuid' ? { [`${prefix}id`]: id.bytes } : { [`${prefix}text_id`]: id.text };
}
