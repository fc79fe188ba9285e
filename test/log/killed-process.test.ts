import { BatchChain } from '../support/batch-chain';
import { FaultyFiles } from '../support/faulty-files';
import { Gate } from '../support/gate';
import { openLog } from './crash-kit';

describe('a process that is killed between a write and its fdatasync', () => {
  test('leaves an entry that the next opening makes durable before it counts as such', async () => {
    const files = new FaultyFiles();
    const killed = await openLog(files);
    const gate = new Gate('datasync');
    files.intercept = gate.intercept;
    killed.append(new BatchChain().next());
    // Never resolves: the process is gone. What it wrote is in the page cache, and nowhere else.
    void killed.sync();
    await gate.reached;
    files.intercept = undefined;

    const reopened = await openLog(files);
    expect(reopened.lastIndex).toBe(1);
    expect(await reopened.sync()).toBe(1);

    const afterPowerLoss = await openLog(files.afterPowerLoss('nothing'));
    expect(afterPowerLoss.lastIndex).toBe(1);
    await afterPowerLoss.close();
  });
});
