import fc from 'fast-check';
import { type Command, type TransferCommand } from '../../src/ledger/command-codec';
import { formatId } from '../../src/ledger/identifiers';
import {
  createLedger,
  EXPIRE,
  linked,
  openAccount,
  post,
  reversal,
  transfer,
  type TransferOptions,
  update,
  uuid,
  voids,
} from './ledger-under-test';

/** Few of everything, so that ids repeat, accounts meet and limits are reached. */
const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'naïve ☃');
const account = fc.oneof({ weight: 3, arbitrary: names }, { weight: 2, arbitrary: fc.integer({ min: 1, max: 7 }) });
const codes = fc.constantFrom('USD', 'JPY', 'WEI');
const LARGEST = 10n ** 38n - 1n;

const limitText = fc.constantFrom('0', '1', '2.5', '1000000', '0.000000001', '9'.repeat(38));

const ledgers: fc.Arbitrary<Command> = fc
  .record({
    code: codes,
    scale: fc.constantFrom(0, 2, 2, 18),
    autoOpen: fc.boolean(),
    rounding: fc.constantFrom(0, 1),
    min: fc.constantFrom(0n, undefined, -5n, -LARGEST),
    max: fc.constantFrom(undefined, undefined, 300n, LARGEST),
  })
  .map(({ code, ...options }) => createLedger(code, options));

const accounts: fc.Arbitrary<Command> = fc
  .record({
    name: names,
    ledger: codes,
    min: fc.oneof(
      fc.constant('none'),
      limitText.map((text) => (text === '0' ? text : `-${text}`)),
      fc.constant(undefined),
    ),
    max: fc.oneof(fc.constant('none'), limitText, fc.constant(undefined)),
    userData: fc.constantFrom(0n, 0n, 2n ** 64n - 1n),
    metadata: fc.constantFrom(Buffer.alloc(0), Buffer.from('m')),
  })
  .map(({ name, min, max, ...rest }) =>
    openAccount(name, { ...rest, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }),
  );

const amounts = fc.oneof(
  fc.constantFrom('0.5', '1', '1', '2.50', '0.005', '1.009', '12345678901234567890', '0', '9'.repeat(38)),
  fc.bigInt({ min: 0n, max: 400n }),
  fc.bigInt({ min: 2n ** 52n - 3n, max: 2n ** 52n + 3n }),
  fc.constantFrom(LARGEST, LARGEST - 1n, LARGEST + 1n, 10n ** 37n),
);

const ids = fc.oneof(
  fc.integer({ min: 1, max: 80 }).map(uuid),
  fc.integer({ min: 1, max: 8 }).map((n) => `order-${n}`),
);

export const transferOptions: fc.Arbitrary<TransferOptions> = fc.record({
  id: ids,
  from: account,
  to: account,
  amount: amounts,
  ledger: fc.oneof(fc.constant(''), codes),
  code: fc.constantFrom(0, 0, 0, 7),
  userData: fc.constantFrom(0n, 0n, 0n, 2n ** 63n),
  metadata: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(0), Buffer.from([0, 1, 2])),
});

/** A hold, a balancing transfer or both, with a timeout that may pass within the history, and times. */
const richOptions: fc.Arbitrary<TransferOptions> = fc
  .record({
    plain: transferOptions,
    flags: fc.constantFrom(1, 1, 1, 8, 9),
    timeoutMs: fc.constantFrom(0, 1, 2, 3, 5),
    effectiveTime: fc.constantFrom(0, 0, 77),
    importedTime: fc.constantFrom(0, 0, 0, 5, 2 ** 52),
  })
  .map(({ plain, flags, timeoutMs, importedTime, effectiveTime }) => ({
    ...plain,
    flags,
    effectiveTime,
    importedTime,
    timeoutMs: (flags & 1) === 0 || importedTime !== 0 ? 0 : timeoutMs,
  }));

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const referring: fc.Arbitrary<Command> = fc
  .record({
    action: fc.constantFrom('post', 'void', 'reverse'),
    id: ids,
    to: ids,
    from: optional(account),
    payee: optional(account),
    amount: optional(amounts),
    ledger: fc.constantFrom('', '', '', 'USD', 'JPY'),
    code: fc.constantFrom(0, 0, 7),
  })
  .map(({ action, id, to, from, payee, amount, ledger, code }) => {
    const rest = {
      ...(from === undefined ? {} : { from }),
      ...(payee === undefined ? {} : { payee }),
      ...(amount === undefined || action === 'void' ? {} : { amount }),
    };
    const make = { post, void: voids, reverse: reversal }[action];
    return make({ id, to, ledger, code, ...rest });
  });

const updates: fc.Arbitrary<Command> = fc
  .record({
    name: names,
    min: fc.constantFrom(undefined, undefined, 'none', '0', '-2.5', '-1000000'),
    max: fc.constantFrom(undefined, undefined, 'none', '0', '1000000', '2.5'),
    closed: fc.constantFrom(undefined, true, false, false),
  })
  .map(({ name, min, max, closed }) =>
    update(name, {
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(closed === undefined ? {} : { closed }),
    }),
  );

const singles = fc.oneof(
  { weight: 6, arbitrary: transferOptions.map(transfer) },
  { weight: 5, arbitrary: richOptions.map(transfer) },
  { weight: 6, arbitrary: referring },
);

const groups = fc
  .record({
    id: fc.oneof(
      fc.integer({ min: 1, max: 9 }).map(uuid),
      fc.integer({ min: 1, max: 5 }).map((n) => `order-${n}`),
    ),
    members: fc.array(singles, { minLength: 1, maxLength: 4 }),
  })
  .map(({ id, members }) => linked(id, ...members));

/** Says a transfer again that was said before, with one field changed or none; or a group, as it was or in another order. */
const changes = fc.constantFrom<Partial<TransferCommand>>(
  {},
  {},
  {},
  { code: 9 },
  { userData: 9n },
  { metadata: Buffer.from('other') },
  { amount: { minor: 1n } },
  { amount: { text: '1.0' } },
  { ledger: 'USD' },
  { ledger: 'JPY' },
  { debit: { name: 'a' } },
  { credit: { handle: 2 } },
  { effectiveTime: 78 },
);
const repeats = fc.record({ repeatOf: fc.nat(), change: changes, reverse: fc.boolean() });

/** One command, or the members of a group. */
type Step = Command[] | { repeatOf: number; change: Partial<TransferCommand>; reverse: boolean };

function resolve(batches: readonly Step[][]): Command[][] {
  const said: Command[][] = [];
  return batches.map((batch) =>
    batch.flatMap((step) => {
      const again = 'repeatOf' in step ? said[step.repeatOf % said.length] : step;
      if (again === undefined) return [];
      const unit = 'repeatOf' in step ? changed(again, step.change, step.reverse) : again;
      said.push(unit);
      return unit;
    }),
  );
}

function changed(unit: Command[], change: Partial<TransferCommand>, reverse: boolean): Command[] {
  const [first] = unit;
  if (first === undefined || (first.kind !== 'transfer' && first.kind !== 'refer')) return unit;
  if (first.group !== undefined) {
    return reverse ? linked(formatId(first.group.id), ...[...unit].reverse()) : unit;
  }
  // A void has no amount.
  if (first.kind === 'refer' && first.action === 'void' && 'amount' in change) return unit;
  return [{ ...first, ...change } as Command];
}

const one = (command: fc.Arbitrary<Command>): fc.Arbitrary<Step> => command.map((single) => [single]);

/** Batches of commands of every kind, many of which were said before. */
export const histories: fc.Arbitrary<Command[][]> = fc
  .array(
    fc.array(
      fc.oneof(
        { weight: 1, arbitrary: one(ledgers) },
        { weight: 3, arbitrary: one(accounts) },
        { weight: 1, arbitrary: one(updates) },
        { weight: 1, arbitrary: one(fc.constant(EXPIRE)) },
        { weight: 14, arbitrary: one(singles) },
        { weight: 3, arbitrary: groups },
        { weight: 6, arbitrary: repeats },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    { maxLength: 14 },
  )
  .map(resolve)
  .map((batches) => batches.filter((batch) => batch.length > 0));
