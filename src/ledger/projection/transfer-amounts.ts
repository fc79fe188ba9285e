import { minorFromText } from '../amounts';
import { type AmountSpec } from '../command-codec';
import { type OutcomeRow } from '../outcome-row';
import { ResultCode } from '../result-codes';
import { type KnownLedger } from './known-ledgers';

/** What was asked for: in units of 10^-scale, or, where no ledger and no scale is known, in minor units of whatever it is. */
export type AskedAmount =
  { readonly value: bigint; readonly scale: number } | { readonly unscaled: bigint } | undefined;

/** Nothing that was ever accepted is longer; a record that was refused for such an amount must not stop the rows. */
const LONGEST_AMOUNT = 128;

/**
 * The amount that a transfer asked for, at the ledger's scale where that is known. Undefined: the text is beyond all that
 * was ever accepted, or a refused transfer left it to the one that it refers to.
 */
export function askedAmount(
  asked: AmountSpec | undefined,
  ledger: KnownLedger | undefined,
  outcome: OutcomeRow,
): AskedAmount {
  if (asked === undefined) {
    return ledger && outcome.result === ResultCode.OK ? { value: outcome.amount, scale: ledger.scale } : undefined;
  }
  if ('minor' in asked) {
    return ledger ? { value: asked.minor, scale: ledger.scale } : { unscaled: asked.minor };
  }
  if (asked.text.length > LONGEST_AMOUNT) return undefined;
  const point = asked.text.indexOf('.');
  const decimals = point < 0 ? 0 : asked.text.length - point - 1;
  if (ledger?.halfUp === true && decimals > ledger.scale && isReadAtScale(outcome.result)) {
    const rounded = minorFromText(asked.text, ledger.scale, 'half_up');
    if ('minor' in rounded) return { value: rounded.minor, scale: ledger.scale };
  }
  const scale = Math.max(decimals, ledger?.scale ?? 0);
  return { value: BigInt(asked.text.replace('.', '')) * 10n ** BigInt(scale - decimals), scale };
}

/** Whether the rules came as far as the amount: an account that is not there is found first, and the amount then kept as given. */
function isReadAtScale(result: ResultCode): boolean {
  return result !== ResultCode.DEBIT_ACCOUNT_NOT_FOUND && result !== ResultCode.CREDIT_ACCOUNT_NOT_FOUND;
}
