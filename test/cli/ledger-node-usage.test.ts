import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../package.json';
import { runCommand, type Surroundings } from './node-command';

describe('ledger-node that is wrongly used', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-usage-'));
    writeFileSync(join(folder, 'unknown.yaml'), 'node-name: n1\nnodename: n2\n');
    writeFileSync(join(folder, 'broken.yaml'), 'node-name: [\n');
    writeFileSync(join(folder, 'tls.yaml'), 'server_tls_cert_file: cert.pem\n');
    writeFileSync(join(folder, 'keys'), 'no key\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** One clear line on stderr, nothing on stdout, status 2. */
  const refusalOf = async (line: string, env: Surroundings['env'] = {}): Promise<string> => {
    const args = line.split(' ').filter((word) => word !== '');
    const { code, stdout, stderr } = await runCommand(args, { cwd: folder, env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^ledger-node: [^\n]{10,}\n$/);
    return stderr;
  };

  test.each([
    ['--nope', "unknown option '--nope'"],
    ['--bootstrap=yes', "unknown option '--bootstrap=yes'"],
    ['--node-name', "option '--node-name <NAME>' argument missing"],
    ['frobnicate', '"frobnicate" is not a command'],
    ['keygen --size 7', "unknown option '--size'"],
    ['--bootstrap --rpc-addr 8300', '--rpc-addr: "8300" is not an address'],
    ['--bootstrap --node-name /etc', '--node-name: a node name has 1 to 63'],
    ['--bootstrap --segment-bytes 1', '--segment-bytes: "1" is out of range'],
    ['--bootstrap --election-timeout soon', '--election-timeout: "soon" is not a duration'],
    ['--bootstrap --heartbeat-interval 1s', '--heartbeat-interval 1000 ms is too long'],
    ['--bootstrap --log-level loud', '--log-level'],
    ['--bootstrap --partitions 2', 'more than one partition is not built yet'],
    ['--bootstrap --database-url mysql://x', '--database-url: "mysql://x" is not a database'],
    ['--bootstrap --advertise-addr 0.0.0.0:8301', '--advertise-addr: 0.0.0.0:8301 is a wildcard'],
    ['--bootstrap --advertise-rpc-addr [::]:8300', '--advertise-rpc-addr: [::]:8300 is a wildcard'],
    ['--bootstrap --insecure --rpc-addr 0.0.0.0:8300', '--advertise-rpc-addr: 0.0.0.0:8300 is a wildcard'],
    ['--bootstrap --http-addr 10.0.0.1:8000', '--http-addr: 10.0.0.1:8000 is not loopback and there is no TLS'],
    ['--bootstrap --encrypt-key-file keys --rpc-addr 127.0.0.1:0 --bind-addr 127.0.0.1:0 --http-addr off', 'line 1'],
    ['--dev --data-dir x', '--dev is one throw-away node'],
    ['--bootstrap --non-voter', '--non-voter cannot --bootstrap'],
  ])('%s', async (line, why) => {
    expect(await refusalOf(line)).toContain(why);
  });

  test.each([
    ['--dedup-age 1ms', '--dedup-age: "1ms" is out of range'],
    ['--refusal-quota 0', '--refusal-quota: "0" would refuse every caller'],
    ['--refusal-quota many', '--refusal-quota: "many" is not a whole number'],
    ['--remove-failed-after 1h', '--remove-failed-after: removing failed members is not built yet'],
    ['--server-tls-cert-file c', '--server-tls-cert-file: TLS is not built yet'],
    ['--peer-tls-ca-file c', '--peer-tls-ca-file: TLS is not built yet'],
    ['--acl-model-file m', '--acl-model-file: access control is not built yet'],
    ['--acl-policy-file p', '--acl-policy-file: access control is not built yet'],
    ['certs', 'certs: TLS is not built yet'],
  ])('what is not built is refused, never taken without effect: %s', async (line, why) => {
    expect(await refusalOf(line.startsWith('--') ? `--bootstrap ${line}` : line)).toContain(why);
  });

  test.each<[string, Record<string, string>, string]>([
    ['', { LEDGER_NODE_NOPE: 'x' }, 'LEDGER_NODE_NOPE: unknown option in the environment'],
    ['', { LEDGER_NODE_BOOTSTRAP: 'perhaps' }, 'LEDGER_NODE_BOOTSTRAP: "perhaps" is neither true nor false'],
    ['', { LEDGER_NODE_PEER_TLS_KEY_FILE: 'k' }, 'LEDGER_NODE_PEER_TLS_KEY_FILE: TLS is not built yet'],
    ['', { LEDGER_NODE_CONFIG_FILE: 'unknown.yaml' }, 'unknown.yaml: nodename: unknown option'],
    ['--config-file unknown.yaml', {}, 'unknown.yaml: nodename: unknown option'],
    ['--config-file broken.yaml', {}, '--config-file broken.yaml: cannot be read'],
    ['--config-file missing.yaml', {}, '--config-file missing.yaml: cannot be read'],
    ['--config-file tls.yaml', {}, 'tls.yaml: server_tls_cert_file: TLS is not built yet'],
  ])('the other sources are as strict: %s %j', async (line, env, why) => {
    expect(await refusalOf(`--bootstrap ${line}`, env)).toContain(why);
  });

  test('an empty data directory with neither flag: advice, and nothing is made', async () => {
    const advice = await refusalOf('--node-name n1 --data-dir lonely');
    expect(advice).toContain('say --bootstrap to begin a new cluster, or --start-join-addrs');
    expect(readdirSync(folder)).not.toContain('lonely');
  });
});

describe('ledger-node that is asked about itself', () => {
  test.each(['--version', '-V'])('%s', async (flag) => {
    expect(await runCommand([flag])).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test.each(['--help', 'help'])('%s names every option, its default, and what is refused', async (flag) => {
    const { code, stdout, stderr } = await runCommand([flag]);
    expect([code, stderr]).toEqual([0, '']);
    for (const text of ['--start-join-addrs <ADDR,...>', '--config-file <FILE>', 'keygen', 'LEDGER_NODE_NODE_NAME']) {
      expect(stdout).toContain(text);
    }
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('clients (gRPC) and peers, on one port (default: 127.0.0.1:8300)');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/--remove-failed-after <DURATION> .*\[not built yet: refused\]/);
  });

  test('keygen gives a new key of 32 bytes each time', async () => {
    const [first, second] = await Promise.all([runCommand(['keygen']), runCommand(['keygen'])]);
    for (const { code, stdout, stderr } of [first, second]) {
      expect([code, stderr]).toEqual([0, '']);
      expect(Buffer.from(stdout.trim(), 'base64')).toHaveLength(32);
    }
    expect(first.stdout).not.toBe(second.stdout);
  });
});
