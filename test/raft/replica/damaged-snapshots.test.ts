import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NoUsableSnapshotError } from '../../../src/raft/replica/snapshotter';
import { CONFIGURATION, SnapshottedGroup, type GroupFlags } from './snapshotted-group';

const entries = (count: number): string[] => Array.from({ length: count }, (_, at) => `entry ${at + 1}`);

describe('a snapshot that is damaged or gone', () => {
  let folder: string;
  let group: SnapshottedGroup;
  const open = async (flags?: GroupFlags): Promise<SnapshottedGroup> =>
    (group = await SnapshottedGroup.open(folder, flags));
  const snapshotFiles = (): string[] => readdirSync(join(folder, 'snapshots')).sort();
  const damage = (file: string): void => {
    const path = join(folder, 'snapshots', file);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 70) ^ 1, bytes.length - 70);
    writeFileSync(path, bytes);
  };

  beforeEach(() => {
    folder = SnapshottedGroup.folder();
  });
  afterEach(async () => {
    await group?.close().catch(() => undefined);
    SnapshottedGroup.remove(folder);
  });

  test('a damaged one is named, and the one before it is used with the log above that', async () => {
    await open();
    for (let round = 0; round < 2; round += 1) {
      await group.write(3);
      await group.snapshotter.take();
    }
    await group.close();
    damage('6-1.snap');
    await open();
    expect(group.restored.index).toBe(3);
    expect(group.machine.state).toEqual(entries(6));
    expect(group.events.of('warn')).toHaveLength(1);
  });

  test('with none that can be read and a log that reaches back, it begins with the configuration that they had', async () => {
    await open();
    await group.write(3);
    await group.snapshotter.take();
    await group.close();
    for (const file of snapshotFiles()) damage(file);
    await open();
    expect(group.restored).toEqual({ index: 0, term: 0, configuration: CONFIGURATION });
    expect(group.machine.state).toEqual(entries(3));
  });

  test('a newest one that is gone is replaced at once', async () => {
    await open();
    await group.write(3);
    await group.snapshotter.take();
    damage('3-1.snap');
    expect(await group.store.check(group.store.newest!)).toMatchObject({ code: 'DAMAGED' });
    group.snapshotter.replaceNewest();
    // It gives whoever asks the one that is being taken.
    expect(await group.snapshotter.take()).toBe(3);
    expect(await group.store.check(group.store.newest!)).toBeUndefined();
  });

  test('with none that can be read and no log that reaches back, the node says so and does not start', async () => {
    await open({ retentionBytes: 1 });
    for (let round = 0; round < 3; round += 1) {
      await group.write(100);
      await group.snapshotter.take();
    }
    expect(group.log.firstIndex).toBeGreaterThan(1);
    await group.close();
    for (const file of snapshotFiles()) rmSync(join(folder, 'snapshots', file));
    await expect(open()).rejects.toBeInstanceOf(NoUsableSnapshotError);
    await expect(open()).rejects.toThrow('Remove the data directory and let the node join again');
  });

  test('with damaged ones alone it names each, and where its damage was found', async () => {
    await open({ retentionBytes: 1 });
    for (let round = 0; round < 3; round += 1) {
      await group.write(100);
      await group.snapshotter.take();
    }
    await group.close();
    for (const file of snapshotFiles()) damage(file);
    await expect(open()).rejects.toThrow(
      /200-1\.snap: .* damaged at byte \d+: .*300-1\.snap|300-1\.snap: .* damaged at byte \d+: .*200-1\.snap/,
    );
    // By then they have been set aside under another name.
    await expect(open()).rejects.toThrow('Remove the data directory');
  });

  test('a log that ends below a snapshot that is gone is not taken for the whole', async () => {
    await open();
    await group.write(2);
    const configuration = CONFIGURATION;
    await group.stable.saveSnapshot(0, { index: 50, term: 1, file: '50-1.snap', configuration });
    await group.close();
    await expect(open()).rejects.toBeInstanceOf(NoUsableSnapshotError);
  });
});
