import { snapshotTransfer } from '../../src/node/snapshot-calls';
import { UnreadLog } from '../../src/raft/replica/unread-log';
import { CatchUpPace } from '../../src/raft/replica/catch-up-pace';
import { systemClock, systemScheduler } from '../../src/raft/replica/environment';
import type { CoreStatus } from '../../src/raft/core';
import { CallError } from '../../src/raft/transport';
import { SnapshottedGroup } from '../raft/replica/snapshotted-group';
import { RunReceiver } from '../../src/node/ids/run-receiver';
import { NodeFiles } from '../../src/log/node-files';
import { recordedEvents } from './recorded-events';

const PEER = '00000000000000b2';

describe('a peer that is sent a snapshot', () => {
  const folder = SnapshottedGroup.folder();
  afterAll(() => SnapshottedGroup.remove(folder));

  test('needs the log behind it until it has come to what is committed, as long as this node leads', async () => {
    const group = await SnapshottedGroup.open(folder);
    await group.write(10);
    await group.snapshotter.take();
    await group.write(10);
    const unread = new UnreadLog();
    let status = { commit: 20, peers: [{ id: PEER, match: 0 }] } as unknown as CoreStatus;
    const storage = {
      ...{ snapshots: group.store, snapshotter: group.snapshotter, unread },
      ids: { receiver: new RunReceiver(new NodeFiles(), folder) },
    } as unknown as Parameters<typeof snapshotTransfer>[0];
    const transfer = snapshotTransfer(storage, () => ({ receive: () => undefined, status: () => status }), {
      ...{ id: '00000000000000a1', group: 0, events: recordedEvents() },
      call: () => Promise.reject(new CallError('UNAVAILABLE', 'CONNECTION_LOST', 'gone', { sent: true })),
      pace: new CatchUpPace(systemClock, systemScheduler, 1 << 20),
    });
    const needs = (): readonly boolean[] => [10, 11, 15, 21].map((index) => unread.has(index));
    expect(needs()).toEqual([false, false, false, false]);
    await transfer.send(PEER, 1);
    expect(needs()).toEqual([false, true, true, true]);
    status = { ...status, peers: [{ id: PEER, match: 14 }] } as unknown as CoreStatus;
    expect(needs()).toEqual([false, false, true, true]);
    status = { ...status, peers: [{ id: PEER, match: 20 }] } as unknown as CoreStatus;
    expect(needs()).toEqual([false, false, false, false]);
    await transfer.send(PEER, 1);
    status = { ...status, peers: [] };
    expect(needs()).toEqual([false, false, false, false]);
    await group.close();
  });
});
