import { RunReceiver } from '../../../src/node/ids/run-receiver';
import type { Attachment } from '../../../src/raft/snapshot';
import { FaultyFiles } from '../../support/faulty-files';
import { DIRECTORY, WrittenRuns } from './id-kit';

describe('a receiver of runs', () => {
  test('two that are begun at the same moment: the last one is received, and nothing of the first is left open', async () => {
    const from = await WrittenRuns.make(5, [1, 1]);
    const [first, second] = from.attachments as [Attachment, Attachment];
    const bytes = await new RunReceiver(from.files, DIRECTORY).read(second.name, 0, second.bytes);
    const files = new FaultyFiles();
    await files.makeDirectory(DIRECTORY);
    const receiver = new RunReceiver(files, DIRECTORY);
    expect(await Promise.all([receiver.beginReceive(first), receiver.beginReceive(second)])).toEqual([0, 0]);
    expect(files.openFiles).toBe(1);
    await Promise.all([receiver.write(0, bytes.subarray(0, 1_000)), receiver.write(1_000, bytes.subarray(1_000))]);
    await expect(receiver.finishReceive(first.name)).rejects.toMatchObject({ code: 'GAP' });
    await receiver.finishReceive(second.name);
    expect(files.openFiles).toBe(0);
    expect([await receiver.has(first.name), await receiver.has(second.name)]).toEqual([false, true]);
  });
});
