import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import { FIRST_GROUP } from '../../src/node/data-directory';
import { openStable } from '../../src/node/stable-directory';
import { StartupError } from '../../src/node/startup-error';
import { LevelStableStore, type StableStore } from '../../src/raft/stable';
import { SeededRandom } from '../support/seeded-random';
import { CLUSTER, configurationOf, idOf, nameOf } from './members';
import { recordedEvents } from './recorded-events';

const files = new NodeFiles();
const JOIN = ['127.0.0.1:8301'];
const VOTE = { term: 9, vote: idOf(2) };

describe('the database and the vote file of a data directory', () => {
  let folder: string;
  let dataDir: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-stable-'));
    await writeMember(join(folder, 'original'));
  });
  beforeEach(() => {
    dataDir = mkdtempSync(join(folder, 'copy-'));
    cpSync(join(folder, 'original'), dataDir, { recursive: true });
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const open = (startJoinAddrs = JOIN, events = recordedEvents()): Promise<StableStore> =>
    openStable({ config: { dataDir, nodeName: nameOf(1), startJoinAddrs }, files, events });

  async function expectNewNode(store: StableStore): Promise<void> {
    expect(store.identity).toMatchObject({ clusterId: CLUSTER, nodeName: nameOf(1) });
    expect(store.identity?.nodeId).not.toBe(idOf(1));
    expect(store.voteState(FIRST_GROUP)).toMatchObject({ kind: 'ok', hardState: { vote: '' } });
    const { nodeId } = store.identity!;
    await store.close();
    const again = await open([]);
    expect(again.identity?.nodeId).toBe(nodeId);
    await again.close();
  }

  test('are opened as they are', async () => {
    const events = recordedEvents();
    const store = await open([], events);
    expect(store.identity?.nodeId).toBe(idOf(1));
    expect(store.voteState(FIRST_GROUP)).toEqual({ kind: 'ok', hardState: VOTE });
    expect(events.all).toEqual([]);
    await store.close();
  });

  test('make a new node where the votes are doubtful, also if only the disk knows of other nodes', async () => {
    flip(join(dataDir, 'groups/0/vote'), 40);
    const store = await open([]);
    expect(store.knownPeers()).toEqual(['127.0.0.1:9']);
    await expectNewNode(store);
  });

  test('are refused with file and byte where there is no other node', async () => {
    const alone = await LevelStableStore.open({ dataDir, files });
    await alone.saveKnownPeers([]);
    await alone.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration: configurationOf([1]) });
    await alone.close();
    flip(join(dataDir, 'groups/0/vote'), 40);
    await expect(open([])).rejects.toThrow(/groups\/0\/vote from byte 0 on: .*checksum/);
  });

  test('make a new node of the same cluster where the database is gone, and keep what was there', async () => {
    rmSync(join(dataDir, 'stable', 'CURRENT'));
    const refusal = open([]);
    await expect(refusal).rejects.toBeInstanceOf(StartupError);
    await expect(refusal).rejects.toThrow(/stable.* from byte \d+ on/);
    await expectNewNode(await open());
    expect(readdirSync(dataDir)).toContain('stable.damaged-1');
  });

  test('are never guessed at: without a vote that can be read, nobody knows whose they are', async () => {
    rmSync(join(dataDir, 'stable'), { recursive: true });
    rmSync(join(dataDir, 'groups/0/vote'));
    await expect(open()).rejects.toThrow(/from byte 0 on.*remove it and start/);
  });

  test('with any single damage: the same node with the same vote, another node, or a refusal with file and byte', async () => {
    const outcomes = new Map<string, number>();
    const places = filesUnder(join(folder, 'original'));
    for (let seed = 0; seed < 120; seed++) {
      const random = new SeededRandom(seed);
      rmSync(dataDir, { recursive: true });
      cpSync(join(folder, 'original'), dataDir, { recursive: true });
      const name = places[seed % places.length]!;
      const did = damage(join(dataDir, name), random);
      const context = `seed ${seed}: ${name} ${did}`;
      const outcome = await outcomeOf(random.below(2) === 0 ? JOIN : [], context);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual(['another node', 'refused', 'the same']);
  });

  async function outcomeOf(startJoinAddrs: typeof JOIN, context: string): Promise<string> {
    let store: StableStore;
    try {
      store = await open(startJoinAddrs);
    } catch (error) {
      if (!(error instanceof StartupError) || !/from byte \d+ on/.test(error.message)) {
        throw new Error(`${context}: ${String(error)}`, { cause: error });
      }
      return 'refused';
    }
    try {
      const same = store.identity?.nodeId === idOf(1);
      const state = store.voteState(FIRST_GROUP);
      const expected = { clusterId: CLUSTER, ...(same ? VOTE : { term: expect.any(Number) as number, vote: '' }) };
      expect({
        context,
        clusterId: store.identity?.clusterId,
        ...(state.kind === 'ok' ? state.hardState : state),
      }).toEqual({ context, ...expected });
      return same ? 'the same' : 'another node';
    } finally {
      await store.close();
    }
  }
});

/** A member of three that has lived for a while: a database with tables, a vote file with both slots in use. */
async function writeMember(dataDir: string): Promise<void> {
  for (let life = 0; life < 4; life++) {
    const store = await LevelStableStore.open({ dataDir, files });
    if (life === 0) {
      await store.initialise({ clusterId: '', nodeName: nameOf(1), nodeId: idOf(1), createdAt: 0, partitions: 0 });
      await store.createGroup(FIRST_GROUP);
      await store.joinCluster(CLUSTER, 1);
    }
    await store.saveSnapshot(FIRST_GROUP, {
      index: life,
      term: 1,
      file: '',
      configuration: configurationOf([1, 2, 3]),
    });
    await store.saveHardState(FIRST_GROUP, { term: 2 * life + 1, vote: idOf(1) });
    await store.saveKnownPeers(['127.0.0.1:9']);
    await store.saveHardState(FIRST_GROUP, life === 3 ? VOTE : { term: 2 * life + 2, vote: '' });
    await store.saveLogEnd(FIRST_GROUP, { index: life, term: life });
    await store.close();
  }
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

function damage(path: string, random: SeededRandom): string {
  const size = statSync(path).size;
  const at = random.below(Math.max(1, size));
  if (size === 0 || random.below(4) === 0) {
    writeFileSync(path, readFileSync(path).subarray(0, at));
    return `truncated to ${at}`;
  }
  flip(path, at);
  return `flipped at ${at}`;
}

function filesUnder(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}
