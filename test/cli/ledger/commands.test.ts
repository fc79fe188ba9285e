import { encodeCommand } from '../../../src/ledger/command-codec';
import { encodeValues, RecordType } from '../../../src/log/chunk';
import { ClusterOfDoors, eventually, noLeader } from '../../client/cluster-of-doors';
import { anyNumber, anyText, type CommandOptions, type CommandResult, ledger, matching } from './run-command';

let cluster: ClusterOfDoors;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(2);
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

const run = (args: string, options?: CommandOptions): Promise<CommandResult> =>
  ledger(['--addr', cluster.addresses.join(','), ...args.split(' ')], options);
const runJson = (args: string, options?: CommandOptions): Promise<CommandResult> =>
  run(`--output json ${args}`, options);

describe('transfer and balance', () => {
  test('move money and show it', async () => {
    const sent = await run('transfer Alice Bob 0.5 --ledger USD --id a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
    expect(sent).toMatchObject({ exitCode: 0, stderr: '' });
    expect(sent.stdout).toMatch(/result +ok\n/);
    expect(sent.stdout).toMatch(/moved +0\.50\n/);
    const shown = await run('balance Bob');
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/posted +0\.50\n/);
  });

  test('as JSON have stable names', async () => {
    const sent = await runJson('transfer Alice Bob 0.5 --ledger USD --id x');
    const expected = {
      id: 'x',
      result: 'ok',
      message: '',
      offset: 0,
      replayed: false,
      amountMoved: '0.50',
      amountHeld: '',
    };
    expect(sent.json()).toEqual([{ ...expected, timestamp: anyNumber, token: anyText }]);
    const [balance] = (await runJson('balance Bob')).json();
    expect(balance).toEqual({
      ...{ account: 'Bob', ledger: 'USD', debitsPosted: '0.00', creditsPosted: '0.50', debitsPending: '0.00' },
      ...{ creditsPending: '0.00', posted: '0.50', available: null, version: 1, offset: 0 },
      token: anyText,
    });
  });

  test('say that a repeat is one', async () => {
    await run('transfer A B 1 --ledger USD --id x');
    const again = await run('transfer A B 1 --ledger USD --id x');
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toContain('nothing moved again');
    expect(cluster.shared.posted('B')).toBe('1.00');
  });

  test('exit 1 with the reason where the ledger refuses', async () => {
    await run('account open Poor --min-balance 0');
    const refused = await run('transfer Poor Bob 1 --ledger USD');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/^ledger: insufficient_funds: .+\n$/);
    expect(refused.stdout).toMatch(/result +insufficient_funds/);
    expect(await run('transfer A B 1e5')).toMatchObject({
      exitCode: 1,
      stderr: matching('amount_invalid'),
    });
    expect(await run('balance Nobody')).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: matching(/^ledger: account_not_found: /),
    });
  });

  test('read at the consistency that is asked for', async () => {
    const levels: string[] = [];
    cluster.shared.beforeRead = ({ level }) => void levels.push(level);
    const [sent] = (await runJson('transfer A B 1 --ledger USD')).json();
    await run(`balance B --consistency at-least --token ${String(sent!['token'])}`);
    await run('balance B --consistency stale --max-staleness 500ms');
    await run('balance B --consistency stale');
    expect(levels).toEqual(['AT_LEAST', 'STALE', 'STALE']);
  });

  test.each(['lookup x', 'account get B', 'account list --prefix B'])('%s does, too', async (command) => {
    const { token } = (await runJson('transfer A B 1 --ledger USD --id x')).json()[0]!;
    const asked: string[] = [];
    cluster.shared.beforeRead = (consistency) => {
      const { level } = consistency;
      asked.push(level === 'AT_LEAST' ? `${level} ${consistency.token}` : level);
    };
    for (const how of ['', '--consistency stale', `--consistency at-least --token ${String(token)}`]) {
      expect(await run(`${command} ${how}`.trim())).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(asked).toEqual(['LINEARIZABLE', 'STALE', `AT_LEAST ${String(token)}`]);
    expect(await run(`${command} --consistency at-least --token t99`)).toMatchObject({
      exitCode: 1,
      stderr: matching(/^ledger: stale_read/),
    });
  });
});

describe('ledgers and accounts', () => {
  test('are made, shown and listed', async () => {
    expect((await run('create-ledger EUR --scale 3 --rounding half_up')).exitCode).toBe(0);
    expect((await run('create-ledger EUR --scale 3 --rounding half_up')).stdout).toContain('existed before');
    const opened = await runJson('account open a b --ledger EUR --min-balance none --max-balance 5 --user-data 7');
    expect(opened.json()[0]).toMatchObject({ results: [{ name: 'a', handle: '1', result: 'ok' }, { name: 'b' }] });
    const [got] = (await runJson('account get a')).json();
    expect(got).toMatchObject({ account: { name: 'a', minBalance: null, maxBalance: '5.000', userData: '7' } });
    const [page] = (await runJson('account list --ledger EUR --limit 1')).json();
    expect(page).toMatchObject({ accounts: [{ account: { name: 'a' }, balance: { posted: '0.000' } }] });
    const next = await runJson(`account list --ledger EUR --page-token ${String(page!['nextPageToken'])}`);
    expect(next.json()[0]).toMatchObject({ accounts: [{ account: { name: 'b' } }], nextPageToken: '' });
    expect((await run('account list')).stdout).toMatch(/a +1 +EUR +0\.000 +no limit/);
  });

  test('exit 1 where one is refused, and still show the others', async () => {
    await run('account open a');
    const result = await run('account open a b --max-balance 9');
    expect(result).toMatchObject({ exitCode: 1, stderr: matching('a: ') });
    expect(result.stdout).toMatch(/b +2 +ok/);
    expect(await run('create-ledger no/slash')).toMatchObject({ exitCode: 1, stderr: matching(/code/) });
  });
});

describe('produce and consume', () => {
  test('carry a value', async () => {
    expect(await run('produce hello')).toMatchObject({ exitCode: 0, stdout: '0\n' });
    expect(await run('consume')).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
  });

  test('carry the lines of stdin, as bytes, the last one without a line feed too', async () => {
    const produced = await run('produce -', { stdin: 'one\n\ntwö\r\nlast' });
    expect(produced.stdout).toBe('0\n1\n2\n3\n');
    expect((await run('consume')).stdout).toBe('one\n\ntwö\r\nlast\n');
    expect((await run('consume --from 2')).stdout).toBe('twö\r\nlast\n');
    expect((await run('consume --from 4')).stdout).toBe('');
    expect((await runJson('produce', { stdin: 'x\n' })).json()).toEqual([{ offset: 4 }]);
  });

  test('show records of the ledger as JSON', async () => {
    await run('transfer A B 1 --ledger USD --id x');
    const [shown] = (await run('consume')).json();
    expect(shown).toMatchObject({ offset: 0, command: 'transfer', outcome: { result: 'ok', amount_moved: '1.00' } });
    const [json] = (await runJson('consume')).json();
    expect(json).toMatchObject({ offset: 0, term: 1, type: 1, record: { command: 'transfer' } });
  });

  test('follow the log until Ctrl-C', async () => {
    const interrupt = new AbortController();
    let seen = '';
    const following = run('consume --from 0 --follow', {
      signal: interrupt.signal,
      onOutput: (text) => (seen += text),
    });
    await run('produce a');
    await run('produce b');
    await eventually('both records', () => seen === 'a\nb\n');
    interrupt.abort();
    expect(await following).toMatchObject({ exitCode: 0, stdout: 'a\nb\n' });
  });

  test('begin at the first record that is kept', async () => {
    await run('produce -', { stdin: 'a\nb\n' });
    cluster.shared.firstOffset = 1;
    expect((await run('consume')).stdout).toBe('b\n');
    expect(await run('consume --from 0')).toMatchObject({ exitCode: 1, stderr: matching('retained') });
  });
});

describe('the cluster', () => {
  test('is shown, and led by whom one asks for', async () => {
    expect((await run('members')).stdout).toMatch(/node-1 +yes +voter +alive/);
    expect((await runJson('members')).json()[0]).toMatchObject({ members: [{ name: 'node-1', isLeader: true }] });
    expect((await run('status')).stdout).toMatch(/node-2 +127\.0\.0\.1:\d+ +leader +1/);
    const [status] = (await runJson('status --state-hash')).json();
    expect(status).toMatchObject({ servers: [{ nodeName: 'node-1', groups: [{ term: 1 }] }, { nodeName: 'node-2' }] });
    expect(await run('leader transfer node-2')).toMatchObject({ exitCode: 0, stdout: matching('node-2') });
  });

  test('that nobody answers for is exit 3', async () => {
    const away = await ledger(['--addr', '127.0.0.1:1', '--timeout', '200ms', 'balance', 'A']);
    expect(away).toMatchObject({ exitCode: 3, stdout: '', stderr: matching(/^ledger: no_cluster: /) });
  });

  test('without a leader is exit 3, too', async () => {
    for (const door of cluster.doors) {
      door.beforeWrite = () => {
        throw noLeader();
      };
    }
    const result = await run('--timeout 300ms transfer A B 1 --ledger USD');
    expect(result).toMatchObject({ exitCode: 3, stderr: matching(/^ledger: no_leader: /) });
  });
});

describe('bench', () => {
  test('measures what it is asked to, on a ledger of its own', async () => {
    const result = await runJson('bench --seconds 1 --accounts 10 --only transfers-16,packed-1');
    expect(result.exitCode).toBe(0);
    const [report] = result.json();
    expect(report).toMatchObject({
      ...{ seconds: 1, accounts: 10 },
      steps: [
        { name: 'transfers-16', unit: 'transfers', inFlight: 16, result: { items: anyNumber } },
        { name: 'packed-1', unit: 'transfers', inFlight: 1 },
      ],
    });
    expect(cluster.shared.ledger.account('Bob')).toBeUndefined();
  });
});

describe('watch, and consume with a filter', () => {
  test('watch prints balances, and those that have changed', async () => {
    await run('transfer Alice Bob 1 --ledger USD');
    let told = 0;
    const onOutput = (): void => {
      told += 1;
      if (told === 2) void cluster.shared.submit(payment(), 1_000);
    };
    const payment = () => ({
      ...{ type: 1 as const, kind: 'records' as const, count: 1, subject: '' },
      chunk: encodeValues(RecordType.Ledger, [
        encodeCommand({
          ...{ kind: 'transfer', id: { kind: 'text', text: 'x' }, ledger: 'USD', code: 0, userData: 0n, flags: 0 },
          ...{ debit: { name: 'Bob' }, credit: { name: 'Carol' }, amount: { text: '0.25' }, metadata: Buffer.alloc(0) },
        }),
      ]),
    });
    const watched = await run('watch Bob Carol --count 2', { onOutput });
    expect(watched).toMatchObject({ exitCode: 0, stderr: '' });
    expect(watched.stdout).toBe(
      '0  Bob  1.00 USD  available no limit\n0  Carol  no such account yet\n' +
        '1  Bob  0.75 USD  available no limit\n1  Carol  0.25 USD  available no limit\n',
    );
    const [document] = (await runJson('watch Bob --count 1')).json();
    expect(document).toMatchObject({ balances: [{ account: 'Bob', posted: '0.75' }], offset: 1, token: anyText });
    expect(await run('watch')).toMatchObject({ exitCode: 2 });
    const token = String(document!['token']);
    const levels: string[] = [];
    expect(await run(`watch Bob --count 1 --token ${token}`)).toMatchObject({ exitCode: 0 });
    cluster.shared.beforeRead = ({ level }) => void levels.push(level);
    await run('watch Bob --count 1 --consistency stale');
    await run(`watch Bob --count 1 --token ${token}`);
    cluster.shared.beforeRead = () => undefined;
    expect(levels).toEqual(['STALE', 'AT_LEAST']);
    expect(await run('watch Bob --token nonsense')).toMatchObject({ exitCode: 1, stderr: matching('token_invalid') });
  });

  test('consume leaves out what was not asked for, and ends at the end', async () => {
    await run('transfer Alice Bob 1 --ledger USD');
    await run('produce hello');
    await run('transfer Alice Carol 1 --ledger USD');
    await run('account open Poor --min-balance 0');
    await run('transfer Poor Bob 1 --ledger USD');
    const offsets = async (flags: string) => (await runJson(`consume ${flags}`)).json().map(({ offset }) => offset);
    expect(await offsets('--account Bob')).toEqual([0, 4]);
    expect(await offsets('--account Carol --account Poor')).toEqual([2, 3, 4]);
    expect(await offsets('--account Bob --result ok')).toEqual([0]);
    expect(await offsets('--type 0')).toEqual([1]);
    expect(await offsets('--command open_account')).toEqual([3]);
    expect(await offsets('--ledger USD --from 3')).toEqual([3, 4]);
    expect(await offsets('--account Nobody')).toEqual([]);
    expect(await run('consume --result fine')).toMatchObject({ exitCode: 1, stderr: matching('filter_invalid') });
  });
});
