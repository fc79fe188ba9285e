import { encodeRulesVersion } from '../../src/ledger/rules-versions';
import { BatchKind } from '../../src/log/batch';
import { encodeValues } from '../../src/log/chunk';
import { StartupError } from '../../src/node/startup-error';
import type { FaultyFiles } from '../support/faulty-files';
import { rulesUpTo } from '../support/test-rules';
import { formatted, StorageKit } from './storage-kit';

const VALUE = { count: 1, payload: encodeValues(0, [Buffer.from('a value')]) };
const SWITCH = { kind: BatchKind.Version, payload: encodeRulesVersion(2) };

async function refusal(files: FaultyFiles): Promise<unknown> {
  const kit = await StorageKit.open(files, { rules: rulesUpTo(1) }).catch((error: unknown) => error);
  if (kit instanceof StorageKit) throw new Error('An older program opened what stands under newer rules.');
  return kit;
}

describe('opening a group with an older program', () => {
  test('stops at a version entry in the log, applied or not, with status 1', async () => {
    const files = await formatted();
    const kit = await StorageKit.open(files, { rules: rulesUpTo(2) });
    kit.append(VALUE, SWITCH, VALUE);
    await kit.storage.log.sync();
    await kit.close();
    const error = await refusal(files);
    expect(error).toBeInstanceOf(StartupError);
    expect(error).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^\/node: Entry 2 of the log switches on version 2 .* up to version 1/) as string,
    });
  });

  test('stops at a snapshot’s version where the log does not hold the entry any more, with status 1', async () => {
    const files = await formatted();
    const kit = await StorageKit.open(files, { rules: rulesUpTo(2), segmentBytes: 4_096, retentionBytes: 0 });
    kit.append(SWITCH);
    await kit.commit();
    for (let at = 0; at < 100; at += 1) kit.append({ kind: BatchKind.Version, payload: Buffer.alloc(400) });
    await kit.commit();
    for (const next of [VALUE, VALUE]) {
      await kit.storage.snapshotter.take();
      kit.append(next);
      await kit.commit();
    }
    await kit.storage.snapshotter.take();
    expect(kit.storage.log.firstIndex).toBeGreaterThan(2);
    await kit.close();
    expect(await refusal(files)).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/A snapshot at offset \d+ stands under version 2/) as string,
    });
    const newer = await StorageKit.open(files, { rules: rulesUpTo(2) });
    expect(newer.storage.machine.rulesVersion).toBe(2);
    await newer.close();
  });
});
