import { encodeRulesVersion, Rules, RULES_VERSIONS, RulesVersionError } from '../../src/ledger/rules-versions';
import { encodeHead, decodeHead } from '../../src/ledger/snapshot-format';
import { Tables } from '../../src/ledger/tables';
import { ResultCode } from '../../src/ledger/result-codes';
import { BatchKind, readHeader } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import { LedgerMachine } from '../../src/node/ledger-machine';
import { BatchChain, type NextBatch } from '../support/batch-chain';
import { rulesUpTo } from '../support/test-rules';

const VALUE: NextBatch = { count: 1, payload: encodeValues(0, [Buffer.from('a value')]) };
const switchTo = (version: number): NextBatch => ({ kind: BatchKind.Version, payload: encodeRulesVersion(version) });

function machineOf(newest: number): LedgerMachine {
  return new LedgerMachine({ write: () => undefined, sync: async () => undefined }, 1, rulesUpTo(newest));
}

/** The same log for any number of machines. */
class SharedLog {
  private readonly chain = new BatchChain();

  /** Appends, and applies to all; returns the outcomes of the first. */
  apply(machines: readonly LedgerMachine[], next: NextBatch): Buffer {
    const batch = this.chain.next(next);
    return machines.map((machine) => machine.apply(batch, readHeader(batch)))[0] as Buffer;
  }
}

async function* streamed(chunks: Iterable<Buffer>): AsyncIterable<Buffer> {
  yield* chunks;
}

describe('versions of the rules in the state machine', () => {
  test('the real table is numbered from 1 on, and each version says what it brings', () => {
    expect(RULES_VERSIONS.map(({ version }) => version)).toEqual(RULES_VERSIONS.map((_, at) => at + 1));
    for (const { brings } of RULES_VERSIONS) expect(brings).not.toBe('');
    expect(() => new Rules(RULES_VERSIONS.map((rules) => ({ ...rules, version: rules.version + 1 })))).toThrow(
      'without a gap',
    );
    expect(() => new Rules([])).toThrow('without a gap');
  });

  test('new rules hold from the entry on, and not before', () => {
    const [log, machine] = [new SharedLog(), machineOf(2)];
    expect(log.apply([machine], VALUE).every((byte) => byte === 0)).toBe(true);
    expect(log.apply([machine], switchTo(2))).toHaveLength(0);
    expect(machine.rulesVersion).toBe(2);
    expect(log.apply([machine], VALUE)[0]).toBe(ResultCode.MALFORMED_RECORD);
  });

  test('the version is part of the state’s hash, of its snapshot, and of what a snapshot restores', async () => {
    const [log, ahead, behind] = [new SharedLog(), machineOf(2), machineOf(2)];
    log.apply([ahead, behind], VALUE);
    expect(ahead.hash()).toBe(behind.hash());
    log.apply([ahead], switchTo(2));
    expect(ahead.hash()).not.toBe(behind.hash());
    await behind.restore(streamed(ahead.snapshot()), { nextOffset: 1 });
    expect(behind.rulesVersion).toBe(2);
    expect(behind.hash()).toBe(ahead.hash());
  });

  test('restoring a state from before the switch goes back to the rules of then', async () => {
    const [log, old, switched] = [new SharedLog(), machineOf(2), machineOf(2)];
    log.apply([old, switched], VALUE);
    log.apply([switched], switchTo(2));
    await switched.restore(streamed(old.snapshot()), { nextOffset: 1 });
    expect(switched.rulesVersion).toBe(1);
  });

  test('a snapshot that was written before there were versions stands under the first', () => {
    const head = encodeHead(new Tables(0));
    expect(head.readUInt32LE(60)).toBe(0);
    const tables = new Tables(0);
    tables.rulesVersion = 7;
    decodeHead(head, tables);
    expect(tables.rulesVersion).toBe(1);
  });

  test('a second entry for a version, one for an older one, and one that names none change nothing', () => {
    const [log, machine] = [new SharedLog(), machineOf(3)];
    log.apply([machine], switchTo(3));
    const hash = machine.hash();
    for (const next of [
      switchTo(3),
      switchTo(2),
      switchTo(0),
      { kind: BatchKind.Version, payload: Buffer.from('??') },
    ]) {
      expect(log.apply([machine], next)).toHaveLength(0);
    }
    expect(machine.hash()).toBe(hash);
    expect(machine.rulesVersion).toBe(3);
  });

  test('stops at an entry for rules that this program does not know; the state stays as it was', () => {
    const [log, machine] = [new SharedLog(), machineOf(1)];
    log.apply([machine], VALUE);
    const hash = machine.hash();
    expect(() => log.apply([machine], switchTo(2))).toThrow(RulesVersionError);
    expect(machine.hash()).toBe(hash);
  });

  test('stops at a snapshot under rules that this program does not know; the state stays as it was', async () => {
    const [log, newer, older] = [new SharedLog(), machineOf(2), machineOf(1)];
    log.apply([newer], switchTo(2));
    const hash = older.hash();
    await expect(older.restore(streamed(newer.snapshot()), { nextOffset: 0 })).rejects.toThrow(RulesVersionError);
    expect(older.hash()).toBe(hash);
  });
});
