import { ledger, matching } from './run-command';

async function usage(args: string): Promise<string> {
  const { exitCode, stdout, stderr } = await ledger(args === '' ? [] : args.split(' '));
  expect({ args, exitCode, stdout }).toEqual({ args, exitCode: 2, stdout: '' });
  expect(stderr).toMatch(/^ledger: .+\n$/);
  return stderr;
}

describe('wrong usage', () => {
  test.each([
    ['', 'name a command'],
    ['nonsense', "unknown command 'nonsense'"],
    ['transfer A B', "missing required argument 'amount'"],
    ['transfer A B 1 2', 'too many arguments'],
    ['transfer A B 1 --effective-time soon', '--effective-time: "soon" is no time'],
    ['transfer A B 1 --effective-time 2024-05-31T12:00:00', '--effective-time'],
    ['transfer A B 1 --effective-time 2024-02-30', '--effective-time: "2024-02-30" is no time'],
    ['transfer A B 1 --code -1', '--code'],
    ['hold A B', "missing required argument 'amount'"],
    ['hold A B 1 --expires-in never', '--expires-in: "never"'],
    ['post', "missing required argument 'hold'"],
    ['void h 1', 'too many arguments'],
    ['reverse', "missing required argument 'transfer'"],
    ['lookup', "missing required argument 'id'"],
    ['transaction /nowhere/at-all', 'transaction: '],
    ['transaction', 'there is no transfer in it'],
    ['account close', "missing required argument 'name'"],
    ['account limits A', '--min-balance, --max-balance or both'],
    ['balance', "missing required argument 'name'"],
    ['balance A --nonsense', "unknown option '--nonsense'"],
    ['balance A --consistency perhaps', '--consistency: "perhaps" is none of'],
    ['balance A --consistency at-least', '--token'],
    ['balance A --token x', 'at-least'],
    ['balance A --max-staleness 1s', 'stale'],
    ['balance A --consistency stale --max-staleness soon', '"soon" is not a duration'],
    ['--output xml members', '--output: "xml"'],
    ['--timeout 0 members', '--timeout: "0"'],
    ['--addr nowhere members', 'host:port'],
    ['--addr , members', 'addresses'],
    ['create-ledger EUR --scale 19', '--scale: "19"'],
    ['create-ledger EUR --rounding up', '--rounding: "up"'],
    ['account open', "missing required argument 'name'"],
    ['account open a --user-data -1', '--user-data'],
    ['account list --limit 0', '--limit'],
    ['consume --from x', '--from: "x"'],
    ['bench --only nothing', '--only: "nothing"'],
    ['errors no_such_thing', 'no_such_thing'],
    ['balance A --at soon', '--at: "soon" is no time'],
    ['balance A --at 5 --by chance', '--by: "chance"'],
    ['balance A --by effective', '--by effective needs the --at <time>'],
    ['balance A --at 5 --by effective', 'an offset has no effective time'],
    ['watch A --max-staleness 1s', '--max-staleness goes with'],
    ['watch A --consistency stale --token t', '--token goes with'],
    ['lookup x --consistency at-least', '--token'],
    ['account get A --token t', '--token goes with'],
    ['account list --max-staleness 1s', '--max-staleness goes with'],
    ['proof transfer x --consistency at-least', '--token'],
    ['proof', 'name a command'],
    ['statement A --from x', '--from: "x"'],
    ['transfers --side left', '--side: "left"'],
    ['transfer A B 1 --output csv', '--output csv'],
    ['account', 'name a command'],
    ['leader', 'name a command'],
    ['member', 'name a command'],
    ['member add', "missing required argument 'node'"],
    ['member remove x --force', "unknown option '--force'"],
  ])('"%s" is exit 2 with a clear line', async (args, line) => {
    expect(await usage(args)).toContain(line);
  });
});

describe('what is not built yet', () => {
  test.each(['signup', 'top', 'shell'])('"%s" is refused with exit 2', async (args) => {
    expect(await usage(args)).toContain('not built yet');
  });
});

describe('help', () => {
  test('goes to stdout with exit 0 and names every command', async () => {
    const { exitCode, stdout, stderr } = await ledger(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const name of [
      'produce',
      'consume',
      'transfer',
      'hold',
      'post',
      'void',
      'reverse',
      'lookup',
      'transaction',
      'balance',
      'account',
      'members',
      'status',
      'bench',
      'errors',
    ]) {
      expect(stdout).toContain(`\n  ${name}`);
    }
    expect(stdout).toContain('Exit status');
  });

  test('and the version', async () => {
    expect(await ledger(['--version'])).toMatchObject({ exitCode: 0, stdout: matching(/^\d+\.\d+\.\d+/) });
  });
});
