import { resolve } from 'node:path';
import { nodeConfig, type NodeConfig, type RawOptions } from '../../../src/node/config/node-config';
import { mergeSources } from '../../../src/node/config/sources';
import { OptionError } from '../../../src/node/config/units';

const configOf = (flags: RawOptions = {}, terminal = false): NodeConfig =>
  nodeConfig(mergeSources(flags, {}, undefined), terminal);

const refusal = (flags: RawOptions): string => {
  try {
    configOf(flags);
  } catch (error) {
    if (error instanceof OptionError) return error.message;
    throw error;
  }
  throw new Error(`${JSON.stringify(flags)} was taken.`);
};

describe('the configuration of a node', () => {
  test('has the defaults of the contract', () => {
    expect(configOf({ 'node-name': 'n1' })).toEqual({
      bootstrap: false,
      nodeName: 'n1',
      dataDir: resolve('data/n1'),
      bindAddr: { host: '127.0.0.1', port: 8301 },
      rpcAddr: { host: '127.0.0.1', port: 8300 },
      advertiseAddr: undefined,
      advertiseRpcAddr: undefined,
      httpAddr: { host: '127.0.0.1', port: 8000 },
      startJoinAddrs: [],
      nonVoter: false,
      database: { kind: 'embedded' },
      partitions: 1,
      segmentBytes: 64 << 20,
      retentionBytes: undefined,
      retentionAge: undefined,
      snapshotBytes: 256 << 20,
      catchUpBytes: 32 << 20,
      dedupAge: undefined,
      refusalQuota: 1_000_000,
      electionTimeout: [300, 600],
      heartbeatInterval: 75,
      encryptKeyFile: undefined,
      logLevel: 'info',
      logFormat: 'json',
      insecure: false,
      dev: false,
    });
  });

  test('the name of the node is a usable one, also where it comes from the host', () => {
    expect(configOf().nodeName).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/);
    expect(configOf({ dev: true }).nodeName).toBe('dev');
    expect(configOf({ dev: true, 'node-name': 'mine' }).nodeName).toBe('mine');
  });

  test('lines are for people on a terminal, unless they are asked for otherwise', () => {
    expect(configOf({}, true).logFormat).toBe('pretty');
    expect(configOf({ 'log-format': 'json' }, true).logFormat).toBe('json');
    expect(configOf({ 'log-format': 'pretty' }, false).logFormat).toBe('pretty');
  });

  test('reads every value that takes effect', () => {
    const config = configOf({
      'start-join-addrs': 'a:1, [::1]:2,',
      'http-addr': 'off',
      'database-url': 'postgres://me@localhost:5432/ledger',
      'retention-bytes': '1GiB',
      'retention-age': '7d',
      'snapshot-bytes': '1MiB',
      'election-timeout': '1s-2s',
      'heartbeat-interval': '100ms',
      'non-voter': true,
    });
    expect(config).toMatchObject({
      startJoinAddrs: ['a:1', '[::1]:2'],
      httpAddr: undefined,
      database: { kind: 'postgres', url: 'postgres://me@localhost:5432/ledger' },
      retentionBytes: 1 << 30,
      retentionAge: 7 * 86_400_000,
      snapshotBytes: 1 << 20,
      electionTimeout: [1_000, 2_000],
      heartbeatInterval: 100,
      nonVoter: true,
    });
    expect(configOf({ 'database-url': 'off' }).database).toEqual({ kind: 'off' });
    expect(configOf({ dev: true }).bootstrap).toBe(true);
  });

  test.each<[RawOptions, string]>([
    [{ 'node-name': '' }, '--node-name: a node name has 1 to 63'],
    [{ 'node-name': '-a' }, '--node-name: a node name'],
    [{ 'node-name': 'a/../b' }, '--node-name: a node name'],
    [{ 'node-name': 'x'.repeat(64) }, '--node-name: a node name'],
    [{ 'data-dir': '' }, '--data-dir'],
    [{ 'rpc-addr': '8300' }, '--rpc-addr: "8300" is not an address'],
    [{ 'bind-addr': 'localhost' }, '--bind-addr: "localhost" is not an address'],
    [{ 'http-addr': 'on' }, '--http-addr: "on" is not an address'],
    [{ 'start-join-addrs': ' , ' }, '--start-join-addrs: write 1 to 64 addresses'],
    [{ 'start-join-addrs': 'a:1,b' }, '--start-join-addrs: "b" is not an address'],
    [{ 'start-join-addrs': Array(65).fill('a:1').join(',') }, '--start-join-addrs: write 1 to 64 addresses'],
    [{ 'database-url': 'mysql://x' }, '--database-url: "mysql://x" is not a database'],
    [{ partitions: '2' }, '--partitions: "2" is out of range: 1 to 1 (more than one partition is not built yet)'],
    [{ partitions: '0' }, '--partitions: "0" is out of range'],
    [{ partitions: '1.5' }, '--partitions: "1.5" is not a whole number'],
    [{ 'segment-bytes': '1KiB' }, '--segment-bytes: "1KiB" is out of range'],
    [{ 'segment-bytes': '2GiB' }, '--segment-bytes: "2GiB" is out of range'],
    [{ 'retention-bytes': 'much' }, '--retention-bytes: "much" is not a size'],
    [{ 'retention-age': 'long' }, '--retention-age: "long" is not a duration'],
    [{ 'retention-age': '1s' }, '--retention-age: "1s" is out of range'],
    [{ 'snapshot-bytes': '0' }, '--snapshot-bytes: "0" is out of range'],
    [{ 'election-timeout': 'soon' }, '--election-timeout: "soon" is not a duration'],
    [{ 'election-timeout': '600-300' }, '--election-timeout: "600-300" is an empty range'],
    [{ 'heartbeat-interval': '1ms' }, '--heartbeat-interval: "1ms" is out of range'],
    [{ 'log-level': 'loud' }, '--log-level'],
    [{ 'log-format': 'xml' }, '--log-format'],
    [{ 'encrypt-key-file': '' }, '--encrypt-key-file'],
    [{ bootstrap: 'yes' }, '--bootstrap'],
  ])('%j is refused by its name', (flags, why) => {
    expect(refusal(flags)).toContain(why);
  });

  test.each<[RawOptions, string]>([
    [{ 'heartbeat-interval': '200ms' }, '--heartbeat-interval 200 ms is too long for --election-timeout 300 ms'],
    [{ dev: true, 'start-join-addrs': 'a:1' }, '--dev is one throw-away node'],
    [{ dev: true, 'data-dir': 'x' }, '--dev is one throw-away node'],
    [{ dev: true, 'non-voter': true }, '--dev is one throw-away node'],
    [{ bootstrap: true, 'non-voter': true }, '--non-voter cannot --bootstrap'],
    [{ bootstrap: true, 'non-voter': true, 'start-join-addrs': 'a:1' }, '--non-voter cannot --bootstrap'],
  ])('%j do not go together', (flags, why) => {
    expect(refusal(flags)).toContain(why);
  });

  test.each(['bind-addr', 'rpc-addr', 'http-addr'])('--%s beyond loopback needs --insecure', (name) => {
    const advertised = { 'advertise-addr': '10.0.0.1:1', 'advertise-rpc-addr': '10.0.0.1:2' };
    for (const host of ['10.0.0.1', '0.0.0.0', '[::]', 'node-1.example']) {
      const flags = { ...advertised, [name]: `${host}:1` };
      expect(refusal(flags)).toContain(`--${name}: ${host}:1 is not loopback and there is no TLS`);
      expect(configOf({ ...flags, insecure: true }).insecure).toBe(true);
    }
  });

  test.each([
    ['advertise-addr', 'bind-addr'],
    ['advertise-rpc-addr', 'rpc-addr'],
  ])('--%s is never a wildcard, neither said nor taken from --%s', (told, bound) => {
    for (const host of ['0.0.0.0', '[::]', '0']) {
      expect(refusal({ [told]: `${host}:1` })).toContain(`--${told}: ${host}:1 is a wildcard`);
      expect(refusal({ [bound]: `${host}:1`, insecure: true })).toContain(`--${told}: ${host}:1 is a wildcard`);
    }
  });

  test.each(['advertise-addr', 'advertise-rpc-addr'])('--%s names a port', (name) => {
    expect(refusal({ [name]: '127.0.0.1:0' })).toContain(
      `--${name}: 127.0.0.1:0 has no port that others could connect to`,
    );
  });
});
