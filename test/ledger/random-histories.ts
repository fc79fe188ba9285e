import fc from 'fast-check';
import { type Command, type TransferCommand } from '../../src/ledger/command-codec';
import { createLedger, openAccount, transfer, type TransferOptions, uuid } from './ledger-under-test';

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

/** Says a command again that was said before, with one field changed or none. */
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
);
const repeats = fc.record({ repeatOf: fc.nat(), change: changes });

type Step = Command | { repeatOf: number; change: Partial<TransferCommand> };

function resolve(batches: readonly Step[][]): Command[][] {
  const said: Command[] = [];
  return batches.map((batch) =>
    batch.flatMap((step) => {
      const again = 'kind' in step ? step : said[step.repeatOf % said.length];
      if (again === undefined) return [];
      const changed = 'kind' in step || again.kind !== 'transfer' ? again : { ...again, ...step.change };
      said.push(changed);
      return [changed];
    }),
  );
}

/** Batches of commands, many of which were said before. */
export const histories: fc.Arbitrary<Command[][]> = fc
  .array(
    fc.array(
      fc.oneof(
        { weight: 1, arbitrary: ledgers },
        { weight: 3, arbitrary: accounts },
        { weight: 12, arbitrary: transferOptions.map(transfer) },
        { weight: 5, arbitrary: repeats },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    { maxLength: 14 },
  )
  .map(resolve)
  .map((batches) => batches.filter((batch) => batch.length > 0));
