import fc from 'fast-check';
import { type Command, type TransferCommand } from '../../src/ledger/command-codec';
import { normaliseId, type TransferId } from '../../src/ledger/identifiers';
import { type OutcomeRow } from '../../src/ledger/outcome-row';
import { type PackedTransfer } from '../../src/ledger/packed-rows';
import { resultName } from '../../src/ledger/result-codes';
import { LedgerState } from '../../src/ledger/state';
import { LedgerUnderTest } from './ledger-under-test';
import { type ModelAccount, type ModelOutcome } from './model/facts';
import { Model } from './model/model';
import { histories } from './random-histories';
import { check } from './random-runs';

const FILE = 'state-histories';
/** Every history begins with something to move. */
const START: Command[] = [
  {
    kind: 'create_ledger',
    code: 'USD',
    scale: 2,
    autoOpen: false,
    rounding: 0,
    defaultMinBalance: 0n,
    defaultMaxBalance: undefined,
  },
  ...['a', 'b', 'c'].map((name, i): Command => ({
    kind: 'open_account',
    name,
    ledger: 'USD',
    min: i === 0 ? { kind: 'none' } : { kind: 'default' },
    max: { kind: 'default' },
    userData: 0n,
    metadata: Buffer.alloc(0),
  })),
];

function comparable(row: OutcomeRow): ModelOutcome {
  const { replayed, offset, timestamp: time, amount, effect, hold } = row;
  return { result: resultName(row.result), replayed, amount, effect, hold, offset, time };
}

function apply(ledger: LedgerUnderTest, model: Model, commands: readonly Command[]): void {
  const base = ledger.offset;
  const rows = fitsRows(commands) ? ledger.rows(commands.map(packedOf)) : ledger.do(...commands);
  expect(rows.map(comparable)).toEqual(model.applyAll(commands, base, ledger.time));
}

/** A batch that packed rows can say travels as packed rows, so that both ways are held against one model. */
function fitsRows(commands: readonly Command[]): commands is TransferCommand[] {
  return commands.every(
    (command) =>
      command.kind === 'transfer' &&
      command.id.kind === 'uuid' &&
      'handle' in command.debit &&
      'handle' in command.credit &&
      'minor' in command.amount &&
      command.ledger === '' &&
      command.metadata.length === 0 &&
      command.group === undefined &&
      (command.timeoutMs ?? 0) + (command.effectiveTime ?? 0) + (command.importedTime ?? 0) === 0,
  );
}

function packedOf(command: TransferCommand): PackedTransfer {
  if (command.id.kind !== 'uuid' || !('handle' in command.debit) || !('handle' in command.credit)) {
    throw new Error('Only what fits a row is packed.');
  }
  const { code, userData, flags } = command;
  const amount = 'minor' in command.amount ? command.amount.minor : 0n;
  const [debitHandle, creditHandle] = [command.debit.handle, command.credit.handle];
  return { id: command.id.bytes, debitHandle, creditHandle, amount, code, userData, flags };
}

function expectSameState(ledger: LedgerUnderTest, model: Model): void {
  const { reader } = ledger.state;
  const { facts } = model;
  ledger.state.assertInvariants();
  expect(reader.counts()).toMatchObject({
    ledgers: facts.ledgers.size,
    accounts: facts.accounts.length,
    transfers: facts.transfers.size,
  });
  expect([ledger.tables.holds.count, ledger.tables.groups.count]).toEqual([facts.holds.length, facts.groups.size]);
  facts.accounts.forEach((account, i) => expectSameAccount(ledger, account, i + 1));
  facts.holds.forEach((hold, i) => {
    const expiresAt = hold.expiresAt === Infinity ? undefined : hold.expiresAt;
    const { amount, status } = hold;
    expect(reader.hold(i + 1)).toMatchObject({ number: i + 1, amount, status, expiresAt });
  });
  for (const { content, outcome, moved } of facts.transfers.values()) {
    const [kind, ...rest] = content.id.split(':');
    const text = rest.join(':');
    const id: TransferId = kind === 'uuid' ? (normaliseId(text) as TransferId) : { kind: 'text', text };
    const view = reader.transferById(id);
    expect(view).toMatchObject({ id: text, offset: outcome.offset, timestamp: outcome.time, moved });
    expect(view).toMatchObject({ code: content.code, userData: content.userData, balancing: content.balancing });
    expect(view?.kind).toBe(content.kind === 'reverse' ? 'reversal' : content.kind);
    expect(view?.metadata.toString('hex')).toBe(content.metadata);
    expect([view?.effectiveTime ?? 0, view?.importedTime ?? 0]).toEqual([content.effective, content.imported]);
    expect(resultName(view?.result ?? 0)).toBe(outcome.result);
  }
}

function expectSameAccount(ledger: LedgerUnderTest, account: ModelAccount, handle: number): void {
  const { reader } = ledger.state;
  const posted = account.credits - account.debits;
  expect(reader.account(account.name)).toMatchObject({
    handle,
    name: account.name,
    minBalance: account.min,
    maxBalance: account.max,
    closed: account.closed,
    offset: account.offset,
    openedAt: account.time,
    userData: account.userData,
  });
  expect(reader.balance(handle)).toMatchObject({
    debitsPosted: account.debits,
    creditsPosted: account.credits,
    debitsPending: account.debitsHeld,
    creditsPending: account.creditsHeld,
    posted,
    available: account.min === undefined ? undefined : posted - account.debitsHeld - account.min,
  });
}

const withRows = fc.tuple(histories, histories).map(([mixed, more]) => [
  ...mixed,
  // Whole batches of transfers by handle and in minor units, which go the packed way.
  ...more.map((batch) => batch.flatMap((command) => asRowCommand(command))).filter((batch) => batch.length > 0),
]);

function asRowCommand(command: Command): Command[] {
  if (command.kind !== 'transfer' || command.id.kind !== 'uuid') return [];
  const handle = (ref: TransferCommand['debit']): TransferCommand['debit'] =>
    'handle' in ref ? ref : { handle: ref.name.length };
  const amount = 'minor' in command.amount ? command.amount : { minor: 100n };
  const [debit, credit] = [handle(command.debit), handle(command.credit)];
  const plain = {
    ledger: '',
    metadata: Buffer.alloc(0),
    timeoutMs: undefined,
    effectiveTime: undefined,
    importedTime: undefined,
  };
  return [{ ...command, debit, credit, amount, ...plain, group: undefined }];
}

describe('random histories', () => {
  test('answer and leave behind what the obvious model says', () => {
    const property = fc.property(withRows, (batches) => {
      const ledger = new LedgerUnderTest();
      const model = new Model();
      for (const batch of [START, ...batches]) apply(ledger, model, batch);
      expectSameState(ledger, model);
    });
    check(FILE, 250, property);
  });

  test('replayed from zero give the same hash, and two machines that hash ids differently agree', () => {
    const property = fc.property(withRows, (batches) => {
      const ledger = new LedgerUnderTest();
      for (const batch of [START, ...batches]) ledger.do(...batch);
      expect(ledger.replayed(0x5eed).hash()).toBe(ledger.state.hash());
    });
    check(FILE, 60, property);
  });

  test('restored from a snapshot at any point have the same hash and the same later behaviour', () => {
    const property = fc.property(withRows, fc.nat(), (batches, at) => {
      const ledger = new LedgerUnderTest();
      const all = [START, ...batches];
      const cut = at % all.length;
      for (const batch of all.slice(0, cut)) ledger.do(...batch);
      const restored = LedgerState.restore(ledger.state.snapshot(), 77);
      expect(restored.hash()).toBe(ledger.state.hash());
      restored.assertInvariants();
      for (const batch of all.slice(cut)) ledger.do(...batch);
      ledger.repeatOn(restored, cut);
      expect(restored.hash()).toBe(ledger.state.hash());
    });
    check(FILE, 60, property);
  });
});
