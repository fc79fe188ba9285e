import { appendFileSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { NodeFiles } from '../../../src/log/node-files';
import { LevelStableStore } from '../../../src/raft/stable';
import { LevelKeyValues } from '../../../src/raft/stable/key-values';
import { encodeRecord, IDENTITY_KEY } from '../../../src/raft/stable/stable-records';
import { BreakingKeyValues, Power } from './breaking-disk';
import { scratchFolder } from './scratch-folder';
import { describeStableStore, IDENTITY, OTHER_ID, POINTER } from './stable-store-contract';

const files = new NodeFiles();
const openAt = (dataDir: string): Promise<LevelStableStore> => LevelStableStore.open({ dataDir, files });

describeStableStore('LevelStableStore', () => {
  const dataDir = scratchFolder();
  return { open: () => openAt(dataDir) };
});

async function prepared(term = 3): Promise<string> {
  const dataDir = scratchFolder();
  const store = await openAt(dataDir);
  await store.initialise(IDENTITY);
  await store.createGroup(0);
  for (let t = 1; t <= term; t++) await store.saveHardState(0, { term: t, vote: OTHER_ID });
  await store.close();
  return dataDir;
}

/** Changes records below the store's feet. */
async function tamper(dataDir: string, change: (db: LevelKeyValues) => Promise<void>): Promise<void> {
  const db = await LevelKeyValues.open(join(dataDir, 'stable'));
  await change(db);
  await db.close();
}

describe('a store with damage', () => {
  test('without a vote file does not know what it voted', async () => {
    const dataDir = await prepared();
    unlinkSync(join(dataDir, 'groups', '0', 'vote'));
    const store = await openAt(dataDir);
    expect(store.voteState(0)).toMatchObject({ kind: 'doubtful', highestTermSeen: 3, why: 'the vote file is missing' });
    await expect(store.saveHardState(0, { term: 9, vote: '' })).rejects.toMatchObject({ code: 'VOTE_DOUBTFUL' });
    await store.reincarnate('00000000000000a9');
    expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 3, vote: '' } });
    await store.close();
  });

  test('with the vote file of another node does not know what it voted', async () => {
    const [dataDir, other] = [await prepared(), scratchFolder()];
    const store = await openAt(other);
    await store.initialise({ ...IDENTITY, nodeId: '00000000000000ff' });
    await store.createGroup(0);
    for (let term = 1; term <= 3; term++) await store.saveHardState(0, { term, vote: OTHER_ID });
    await store.close();
    rmSync(join(dataDir, 'groups'), { recursive: true });
    await files.rename(join(other, 'groups'), join(dataDir, 'groups'));
    const mixed = await openAt(dataDir);
    expect(mixed.voteState(0)).toMatchObject({ kind: 'doubtful' });
    await mixed.close();
  });

  test('whose database has forgotten a group does not know what it voted, and does not make the group anew', async () => {
    const dataDir = await prepared();
    await tamper(dataDir, (db) => db.write([['group/0/vote', undefined]]));
    const store = await openAt(dataDir);
    expect(store.groups()).toEqual([0]);
    expect(store.voteState(0)).toMatchObject({ kind: 'doubtful', highestTermSeen: 3 });
    await expect(store.createGroup(0)).rejects.toMatchObject({ code: 'GROUP_EXISTS' });
    await store.close();
  });

  test('with an older database does not know what it voted', async () => {
    const dataDir = await prepared();
    await tamper(dataDir, (db) =>
      db.write([
        ['group/0/vote', encodeRecord('group/0/vote', { sequence: 2, hardState: { term: 1, vote: OTHER_ID } })],
      ]),
    );
    const store = await openAt(dataDir);
    expect(store.voteState(0)).toMatchObject({ kind: 'doubtful', highestTermSeen: 3 });
    await store.close();
  });

  test('a record under the wrong key, or spoilt, is left out and named; an identity is not', async () => {
    const dataDir = await prepared();
    await tamper(dataDir, (db) =>
      db.write([
        ['group/0/snapshot', encodeRecord('group/1/snapshot', POINTER)],
        ['peers', Buffer.from('xx')],
      ]),
    );
    const store = await openAt(dataDir);
    expect(store.damage).toHaveLength(2);
    expect([store.snapshot(0), store.knownPeers()]).toEqual([undefined, []]);
    await store.close();
    await tamper(dataDir, (db) => db.write([[IDENTITY_KEY, Buffer.from('damaged')]]));
    await expect(openAt(dataDir)).rejects.toMatchObject({ code: 'UNREADABLE' });
  });

  test('groups without an identity are not taken for a new directory', async () => {
    const dataDir = await prepared();
    rmSync(join(dataDir, 'stable'), { recursive: true });
    await expect(openAt(dataDir)).rejects.toMatchObject({ code: 'IDENTITY_LOST' });
    const logOnly = scratchFolder();
    mkdirSync(join(logOnly, 'groups', '0'), { recursive: true });
    await expect(openAt(logOnly)).rejects.toMatchObject({ code: 'IDENTITY_LOST' });
  });

  test('a directory of a newer program is not touched', async () => {
    const dataDir = await prepared();
    const record = { ...IDENTITY, formatVersion: 2, incarnation: 1 };
    await tamper(dataDir, (db) => db.write([[IDENTITY_KEY, encodeRecord(IDENTITY_KEY, record)]]));
    await expect(openAt(dataDir)).rejects.toMatchObject({ code: 'NEWER_FORMAT' });
  });

  test('a database that cannot be opened is an error that says what to do', async () => {
    const dataDir = await prepared();
    const manifest = readdirSync(join(dataDir, 'stable')).find((name) => name.startsWith('MANIFEST'));
    rmSync(join(dataDir, 'stable', String(manifest)));
    appendFileSync(join(dataDir, 'stable', String(manifest)), 'junk');
    await expect(openAt(dataDir)).rejects.toMatchObject({ code: 'UNREADABLE' });
    await expect(openAt(dataDir)).rejects.toThrow(/restore the data directory from a backup/);
  });

  test('a second store on the same directory is refused', async () => {
    const dataDir = await prepared();
    const first = await openAt(dataDir);
    await expect(openAt(dataDir)).rejects.toMatchObject({ code: 'LOCKED' });
    await first.close();
  });
});

describe('a full disk', () => {
  async function onDiskThatFills(dataDir: string): Promise<{ store: LevelStableStore; disk: { full: boolean } }> {
    const disk = { full: false };
    const openKeyValues = (directory: string) => BreakingKeyValues.open(directory, new Power(), disk);
    return { store: await LevelStableStore.open({ dataDir, files, openKeyValues }), disk };
  }

  test('is what opening says where the database finds no room, not that something is damaged', async () => {
    const dataDir = await prepared();
    const openKeyValues = (directory: string) => BreakingKeyValues.open(directory, undefined, { full: true });
    await expect(LevelStableStore.open({ dataDir, files, openKeyValues })).rejects.toMatchObject({ code: 'DISK_FULL' });
  });

  test('still records votes, and they are there after a restart; nothing else is written', async () => {
    const dataDir = await prepared();
    const { store, disk } = await onDiskThatFills(dataDir);
    disk.full = true;
    for (let term = 4; term <= 7; term++) await store.saveHardState(0, { term, vote: IDENTITY.nodeId });
    await expect(store.saveSnapshot(0, POINTER)).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(store.snapshot(0)).toBeUndefined();
    await store.close();
    const again = await openAt(dataDir);
    expect(again.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 7, vote: IDENTITY.nodeId } });
    await again.close();
  });

  test('that has space again is as if nothing had been', async () => {
    const dataDir = await prepared();
    const { store, disk } = await onDiskThatFills(dataDir);
    disk.full = true;
    await store.saveHardState(0, { term: 4, vote: '' });
    disk.full = false;
    await store.saveHardState(0, { term: 5, vote: '' });
    await store.saveSnapshot(0, POINTER);
    await store.close();
    const again = await openAt(dataDir);
    expect(again.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 5, vote: '' } });
    expect(again.snapshot(0)).toEqual(POINTER);
    await again.close();
  });

  test('leaves one copy: when that is damaged, the node does not know what it voted', async () => {
    const dataDir = await prepared();
    const { store, disk } = await onDiskThatFills(dataDir);
    disk.full = true;
    await store.saveHardState(0, { term: 4, vote: '' });
    await store.close();
    const path = join(dataDir, 'groups', '0', 'vote');
    for (const position of [40, 4096 + 40]) {
      const file = await files.open(path, 'update');
      const before = Buffer.alloc(1);
      await file.read(before, position);
      await file.write([Buffer.of(before.readUInt8(0) ^ 1)], position);
      const damaged = await openAt(dataDir);
      expect(damaged.voteState(0)).toMatchObject({ kind: 'doubtful' });
      await damaged.close();
      await file.write([before], position);
      await file.close();
    }
  });
});
