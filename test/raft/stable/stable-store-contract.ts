import { MAX_KNOWN_PEERS, type NodeIdentity, type StableStore } from '../../../src/raft/stable';

export const IDENTITY: NodeIdentity = {
  clusterId: 'c'.repeat(32),
  nodeName: 'näme',
  nodeId: '00000000000000a1',
  createdAt: 1_700_000_000_000_000,
  partitions: 1,
};
export const OTHER_ID = '00000000000000b2';

export const POINTER = {
  index: 7,
  term: 2,
  file: '7-2.snap',
  configuration: {
    voters: [IDENTITY.nodeId],
    votersOutgoing: [],
    learners: [],
    servers: [{ id: IDENTITY.nodeId, name: 'näme', rpcAddr: '127.0.0.1:8300' }],
  },
};

/** A place where a store can be opened again and again, as by a process that is started again and again. */
export type StorePlace = { open(): Promise<StableStore> };

/** Runs `work` on a store and leaves it closed. */
async function opened<T>(place: StorePlace, work: (store: StableStore) => Promise<T> | T): Promise<T> {
  const store = await place.open();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function withGroup(place: StorePlace): Promise<StorePlace> {
  await opened(place, async (store) => {
    await store.initialise(IDENTITY);
    await store.createGroup(0);
  });
  return place;
}

/** What every StableStore does. `newPlace` gives an empty one. */
export function describeStableStore(name: string, newPlace: () => StorePlace): void {
  describe(`${name} as a StableStore`, () => {
    describeIdentity(newPlace);
    describeVotes(newPlace);
    describePointers(newPlace);
  });
}

function describeIdentity(newPlace: () => StorePlace): void {
  test('a new one is empty', async () => {
    await opened(newPlace(), (store) => {
      expect([store.identity, store.groups(), store.knownPeers(), store.damage]).toEqual([undefined, [], [], []]);
      expect(() => store.voteState(0)).toThrow(/no group 0/);
    });
  });

  test('keeps who it belongs to, once and for all', async () => {
    const place = newPlace();
    await opened(place, async (store) => {
      await expect(store.createGroup(0)).rejects.toMatchObject({ code: 'NOT_INITIALISED' });
      await store.initialise(IDENTITY);
      await expect(store.initialise(IDENTITY)).rejects.toMatchObject({ code: 'ALREADY_INITIALISED' });
    });
    expect(await opened(place, (store) => store.identity)).toEqual(IDENTITY);
  });

  test('joins a cluster, and then no other', async () => {
    const place = newPlace();
    await opened(place, async (store) => {
      await store.initialise({ ...IDENTITY, clusterId: '', partitions: 0 });
      await store.joinCluster(IDENTITY.clusterId, 3);
      await expect(store.joinCluster('d'.repeat(32), 3)).rejects.toMatchObject({ code: 'ALREADY_INITIALISED' });
    });
    const identity = await opened(place, (store) => store.identity);
    expect(identity).toEqual({ ...IDENTITY, partitions: 3 });
  });

  test('becomes a new node: another id, the highest term, no vote, and everything else as it was', async () => {
    const place = await withGroup(newPlace());
    await opened(place, async (store) => {
      await store.saveHardState(0, { term: 6, vote: OTHER_ID });
      await store.saveSnapshot(0, POINTER);
      await store.saveLossMark(0, { index: 3, term: 1 });
      await store.reincarnate('00000000000000a9');
      await store.saveHardState(0, { term: 6, vote: IDENTITY.nodeId });
    });
    await opened(place, (store) => {
      expect(store.identity).toEqual({ ...IDENTITY, nodeId: '00000000000000a9' });
      expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 6, vote: IDENTITY.nodeId } });
      expect(store.snapshot(0)).toEqual(POINTER);
      expect(store.lossMark(0)).toBeUndefined();
    });
  });

  test('refuses everything once it is closed', async () => {
    const place = await withGroup(newPlace());
    const store = await place.open();
    await store.close();
    await store.close();
    await expect(store.saveHardState(0, { term: 1, vote: '' })).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.saveKnownPeers([])).rejects.toMatchObject({ code: 'CLOSED' });
  });
}

function describeVotes(newPlace: () => StorePlace): void {
  test('keeps term and vote of each group', async () => {
    const place = await withGroup(newPlace());
    await opened(place, async (store) => {
      await store.createGroup(12);
      await expect(store.createGroup(12)).rejects.toMatchObject({ code: 'GROUP_EXISTS' });
      expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 0, vote: '' } });
      for (let term = 1; term <= 9; term++) await store.saveHardState(0, { term, vote: term % 2 ? OTHER_ID : '' });
      await store.saveHardState(12, { term: 2 ** 40, vote: IDENTITY.nodeId });
    });
    await opened(place, (store) => {
      expect(store.groups()).toEqual([0, 12]);
      expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 9, vote: OTHER_ID } });
      expect(store.voteState(12)).toEqual({ kind: 'ok', hardState: { term: 2 ** 40, vote: IDENTITY.nodeId } });
    });
  });

  test('keeps the last of many saves that are under way together', async () => {
    const place = await withGroup(newPlace());
    await opened(place, async (store) => {
      await Promise.all([1, 2, 3, 4, 5].map((term) => store.saveHardState(0, { term, vote: '' })));
      expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 5, vote: '' } });
    });
    expect(await opened(place, (store) => store.voteState(0))).toEqual({
      kind: 'ok',
      hardState: { term: 5, vote: '' },
    });
  });

  test('does not let a term fall or a vote change within its term (a vote that is taken back is two votes)', async () => {
    const place = await withGroup(newPlace());
    await opened(place, async (store) => {
      await store.saveHardState(0, { term: 4, vote: '' });
      await store.saveHardState(0, { term: 4, vote: OTHER_ID });
      await store.saveHardState(0, { term: 4, vote: OTHER_ID });
      await expect(store.saveHardState(0, { term: 3, vote: '' })).rejects.toThrow(/cannot follow/);
      await expect(store.saveHardState(0, { term: 4, vote: IDENTITY.nodeId })).rejects.toThrow(/cannot follow/);
      await expect(store.saveHardState(0, { term: 4, vote: '' })).rejects.toThrow(/cannot follow/);
      await store.saveHardState(0, { term: 5, vote: '' });
      expect(store.voteState(0)).toEqual({ kind: 'ok', hardState: { term: 5, vote: '' } });
    });
  });
}

function describePointers(newPlace: () => StorePlace): void {
  test('keeps snapshots, marks of loss and known peers', async () => {
    const place = await withGroup(newPlace());
    await opened(place, async (store) => {
      await store.saveSnapshot(0, POINTER);
      await store.saveLossMark(0, { index: 3, term: 1 });
      await store.saveKnownPeers(Array.from({ length: 100 }, (_, i) => `10.0.0.${i}:8301`));
      await expect(store.saveSnapshot(1, POINTER)).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' });
    });
    await opened(place, async (store) => {
      expect(store.snapshot(0)).toEqual(POINTER);
      expect(store.lossMark(0)).toEqual({ index: 3, term: 1 });
      expect(store.knownPeers()).toHaveLength(MAX_KNOWN_PEERS);
      await store.saveLossMark(0, undefined);
    });
    expect(await opened(place, (store) => store.lossMark(0))).toBeUndefined();
  });
}
