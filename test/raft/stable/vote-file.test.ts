import { FileSystemError } from '../../../src/log/files';
import { VoteFile } from '../../../src/raft/stable/vote-file';
import type { SlotRecord } from '../../../src/raft/stable/vote-slot';
import { FaultyFiles } from '../../support/faulty-files';

const record = (sequence: number): SlotRecord => ({
  group: 1,
  sequence,
  levelSequence: sequence,
  hardState: { term: sequence, vote: '00000000000000a1' },
  nodeId: '00000000000000b2',
  incarnation: 1,
  clusterId: '',
});

describe('the file of votes', () => {
  test('a vote that a failed sync has forgotten is written again by the next process before it is believed', async () => {
    const files = new FaultyFiles();
    await files.makeDirectory('/g');
    const file = await VoteFile.create(files, '/g/vote', record(1));
    files.intercept = (operation, path) => {
      if (operation !== 'datasync') return;
      files.inode(path).dropUnsynced();
      throw new FileSystemError(operation, path, 'EIO');
    };
    await expect(file.write(record(2))).rejects.toThrow('EIO');
    files.intercept = undefined;

    // The machine runs on: its memory has the vote, and no sync brings it to the disk.
    const next = await VoteFile.open(files, '/g/vote');
    expect(next?.slots[0]).toEqual({ kind: 'valid', record: record(2) });
    const afterPowerLoss = await VoteFile.open(files.afterPowerLoss('nothing'), '/g/vote');
    expect(afterPowerLoss?.slots).toEqual(next?.slots);
  });
});
