import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gossip } from '../../src/discovery/gossip';
import { tagsFault, type Tags } from '../../src/discovery/member';
import { nodeConfig, type NodeConfig, type RawOptions } from '../../src/node/config/node-config';
import { mergeSources } from '../../src/node/config/sources';
import { OptionError } from '../../src/node/config/units';
import { gossipTags, loadKeyring, probeForCluster } from '../../src/node/gossip-setup';
import { systemClock, systemRandom } from '../../src/raft/replica/environment';
import { CLUSTER, gossiped, idOf } from './members';
import { recordedEvents } from './recorded-events';

const configOf = (flags: RawOptions = {}): NodeConfig =>
  nodeConfig(mergeSources({ 'node-name': 'n1', ...flags }, {}, undefined), false);

describe('what a node says about itself', () => {
  test('is sound, with a cluster or without one', () => {
    const joining = gossipTags(configOf(), { clusterId: '', nodeId: idOf(1), partitions: 1 }, '127.0.0.1:1', 1);
    expect(joining).toMatchObject({ role: 'joining', name: 'n1', rpcAddr: '127.0.0.1:1', nonVoter: false });
    expect(tagsFault(joining)).toBeUndefined();
    const source = { clusterId: CLUSTER, nodeId: idOf(1), partitions: 1 };
    const member = gossipTags(configOf({ 'non-voter': true }), source, '127.0.0.1:1', 1);
    expect(member).toMatchObject({ role: 'member', clusterId: CLUSTER, nonVoter: true, partitions: 1 });
    expect(tagsFault(member)).toBeUndefined();
  });
});

describe('the keys of gossip', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-keys-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const load = (text: string | undefined): ReturnType<typeof loadKeyring> => {
    const path = join(folder, 'keys');
    if (text !== undefined) writeFileSync(path, text);
    return loadKeyring(configOf({ 'encrypt-key-file': text === undefined ? join(folder, 'missing') : path }));
  };

  test('are none where none are asked for, and those of the file otherwise', async () => {
    expect(await loadKeyring(configOf())).toBeUndefined();
    expect(await load(`${Buffer.alloc(32, 1).toString('base64')}\n`)).toBeDefined();
  });

  test.each([undefined, '', 'not a key\n', `${Buffer.alloc(16).toString('base64')}\n`])(
    'a file with %j is wrong usage, and no key is shown',
    async (text) => {
      const failure = load(text);
      await expect(failure).rejects.toBeInstanceOf(OptionError);
      await expect(failure).rejects.toThrow(/^--encrypt-key-file: /);
    },
  );
});

describe('a bootstrap that was given addresses', () => {
  const started: Gossip[] = [];
  const start = async (tags: Tags, joinAddrs: readonly string[]): Promise<Gossip> => {
    const gossip = await Gossip.start({
      bindAddr: '127.0.0.1:0',
      tags,
      joinAddrs,
      clock: systemClock,
      random: systemRandom,
      log: recordedEvents(),
    });
    started.push(gossip);
    return gossip;
  };
  afterEach(async () => {
    await Promise.all(started.splice(0).map((gossip) => gossip.stop()));
  });
  const joining = gossiped(2, { tags: { clusterId: '', role: 'joining' } }).tags;

  test('is refused where a cluster is at one of them, with who it is', async () => {
    const member = await start(gossiped(1).tags, []);
    const probe = await start(joining, ['127.0.0.1:9', member.gossipAddr]);
    await expect(probeForCluster(probe)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^--bootstrap refused: "node-1" at .* belongs to cluster c{32} already/) as string,
    });
  });

  test('goes on where only others that look for a cluster are there', async () => {
    const other = await start({ ...joining, nodeId: idOf(3), name: 'node-3' }, []);
    const probe = await start(joining, [other.gossipAddr]);
    await probeForCluster(probe);
    expect(probe.members()).toHaveLength(2);
  });
});
