import { encodeCommand, type Command } from '../../src/ledger/command-codec';
import { encodePackedRows } from '../../src/ledger/packed-rows';
import { BatchKind } from '../../src/log/batch';
import { encodeRows, encodeValues } from '../../src/log/chunk';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { encodeRulesVersion } from '../../src/ledger/rules-versions';
import { createLedger, openAccount, transfer, uuid } from '../ledger/ledger-under-test';
import type { NextBatch } from '../support/batch-chain';
import { describeStateMachine } from '../support/state-machine-contract';
import { rulesUpTo } from '../support/test-rules';

const LEDGER_RECORD = 1;

const commands = (...given: readonly Command[]): NextBatch => ({
  count: given.length,
  payload: encodeValues(LEDGER_RECORD, given.map(encodeCommand)),
});

const pay = (id: number, from: string | number, to: string | number, amount: string): Command =>
  transfer({ id: uuid(id), from, to, amount });

const ROW = { id: Buffer.alloc(16, 7), debitHandle: 1, creditHandle: 2, amount: 5n, userData: 0n, code: 0, flags: 0 };

/** Money that moves, is refused, comes again; accounts by name and by handle, values of producers, a switch of the rules. */
const LEDGER_LIFE: readonly NextBatch[] = [
  {
    kind: BatchKind.System,
    payload: encodeValues(LEDGER_RECORD, [encodeCommand(createLedger('USD', { autoOpen: true }))]),
  },
  commands(openAccount('bank', { min: 'none' }), openAccount('alice'), openAccount('bob', { max: '50' })),
  commands(pay(1, 'bank', 'alice', '100'), pay(2, 'alice', 'bob', '30')),
  commands(pay(2, 'alice', 'bob', '30'), pay(3, 'alice', 'bob', '30'), pay(2, 'alice', 'bob', '31')),
  { count: 1, payload: encodeValues(0, [Buffer.from('a producer’s')]) },
  commands(pay(4, 'bank', 'carol', '7.77'), pay(5, 1, 2, '0.01')),
  {
    count: 2,
    payload: encodeRows(encodePackedRows([ROW, ROW])),
  },
  { kind: BatchKind.Version, payload: encodeRulesVersion(2) },
  { count: 1, payload: encodeValues(0, [Buffer.from('refused by the rules of this test')]) },
  commands(pay(6, 'alice', 'bob', '1')),
];

describeStateMachine('LedgerMachine', {
  make: (node) =>
    new LedgerMachine({ write: () => undefined, sync: async () => undefined }, node * 7_919, rulesUpTo(2)),
  meaningful: LEDGER_LIFE,
});
