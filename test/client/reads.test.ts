import { LedgerClient } from '../../src/client';
import { NodeError } from '../../src/api/node-port';
import { ClusterOfDoors, eventually, noLeader } from './cluster-of-doors';

let cluster: ClusterOfDoors;
let client: LedgerClient;

beforeEach(async () => {
  cluster = await ClusterOfDoors.start(3);
  client = await LedgerClient.connect({ addresses: cluster.addresses, refreshIntervalMs: 50 });
  await client.transfer({ id: 't1', debitAccount: 'Alice', creditAccount: 'Bob', amount: '5', ledger: 'USD' });
});

afterEach(async () => {
  await client.close();
  await cluster.close();
  expect(cluster.unforeseen).toEqual([]);
});

const readsOf = (): number[] => cluster.doors.map((door) => door.reads);

describe('reads', () => {
  test('go to the followers in turn', async () => {
    for (let i = 0; i < 10; i++) expect(await client.balance('Bob')).toMatchObject({ posted: '5.00', version: 1 });
    expect(readsOf()).toEqual([0, 5, 5]);
  });

  test('go to the leader where no follower answers', async () => {
    await Promise.all([cluster.door(1).die(), cluster.door(2).die()]);
    expect(await client.balance('Bob')).toMatchObject({ posted: '5.00' });
    expect(cluster.door(0).reads).toBe(1);
  });

  test('go elsewhere at once where a follower refuses', async () => {
    cluster.door(1).beforeRead = () => {
      throw noLeader();
    };
    for (let i = 0; i < 6; i++) expect(await client.balance('Bob')).toMatchObject({ posted: '5.00' });
    expect(cluster.door(2).reads).toBeGreaterThanOrEqual(5);
  });

  test('come back to a follower that was away, at the same address', async () => {
    await cluster.door(1).die();
    for (let i = 0; i < 4; i++) await client.balance('Bob');
    const before = cluster.door(1).reads;
    await cluster.door(1).listen();
    await eventually('a read on the follower that came back', () => {
      void client.balance('Bob').catch(() => undefined);
      return cluster.door(1).reads > before;
    });
  });

  test('and writes work by the given addresses where those that the cluster names cannot be reached', async () => {
    for (const door of cluster.doors) cluster.advertised.set(door.name, `127.0.0.1:${cluster.doors.indexOf(door) + 1}`);
    const outside = await LedgerClient.connect({ addresses: cluster.addresses, refreshIntervalMs: 50 });
    const transfer = { debitAccount: 'Alice', creditAccount: 'Bob', amount: '1', ledger: 'USD' };
    for (let i = 0; i < 5; i++) expect(await outside.transfer(transfer)).toMatchObject({ result: 'ok' });
    for (let i = 0; i < 5; i++) expect(await outside.balance('Bob')).toMatchObject({ posted: '10.00' });
    await outside.close();
  });

  test('come back to a follower that the cluster did not name for a while', async () => {
    cluster.hidden.add('node-2');
    await eventually('the client to forget it', () => client.servers().length === 2);
    cluster.hidden.clear();
    await eventually('the client to hear of it', () => client.servers().length === 3);
    for (let i = 0; i < 4; i++) await client.balance('Bob');
    expect(cluster.door(1).reads).toBeGreaterThan(0);
  });
});

describe('consistency', () => {
  test('is linearizable where nothing is said', async () => {
    const asked: string[] = [];
    cluster.shared.beforeRead = (consistency) => void asked.push(consistency.level);
    await client.balance('Bob');
    await client.balance('Bob', { consistency: 'stale' });
    await client.balance('Bob', { consistency: { maxStalenessMs: 10 } });
    await client.balance('Bob', { consistency: 'at-least' });
    expect(asked).toEqual(['LINEARIZABLE', 'STALE', 'STALE', 'AT_LEAST']);
  });

  test('at-least asks for the newest state that the client has seen', async () => {
    const tokens: string[] = [];
    cluster.shared.beforeRead = (consistency) => {
      if (consistency.level === 'AT_LEAST') tokens.push(consistency.token);
    };
    const transfer = { debitAccount: 'Alice', creditAccount: 'Bob', amount: '1', ledger: 'USD' };
    const { token } = await client.transfer(transfer);
    await client.balance('Bob', { consistency: 'at-least' });
    await client.balance('Bob', { consistency: { atLeast: 't1' } });
    expect(tokens).toEqual([token, 't1']);
  });

  test('that no server has fresh enough is refused after each was asked once', async () => {
    for (const door of cluster.doors) {
      door.beforeRead = () => {
        throw new NodeError('UNAVAILABLE', 'STALE_READ', 'Behind.');
      };
    }
    await expect(client.balance('Bob')).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'STALE_READ' });
    expect(readsOf().reduce((a, b) => a + b)).toBe(3);
  });

  test('that makes no sense is refused here', async () => {
    const read = client.balance('Bob', { consistency: { maxStalenessMs: 0 } });
    await expect(read).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('what is read', () => {
  test('an account with its balance, and the place in the log that it reflects', async () => {
    const { account, balance, position } = await client.account('Bob');
    expect(account).toMatchObject({ name: 'Bob', handle: 2n, ledger: 'USD', closed: false, userData: 0n });
    expect(account.minBalance).toBeUndefined();
    expect(balance).toMatchObject({ creditsPosted: '5.00', debitsPosted: '0.00', available: undefined });
    expect(position.offset).toBe(0);
  });

  test('balances of several accounts; one that does not exist has no ledger', async () => {
    const { balances } = await client.balances(['Bob', 'Nobody', 'Alice']);
    expect(balances.map(({ account, ledger, posted }) => [account, ledger, posted])).toEqual([
      ['Bob', 'USD', '5.00'],
      ['Nobody', '', expect.any(String)],
      ['Alice', 'USD', '-5.00'],
    ]);
  });

  test('an account or a transfer that does not exist rejects with NOT_FOUND', async () => {
    await expect(client.account('Nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(client.getTransfer('nothing')).rejects.toMatchObject({ reason: 'TRANSFER_NOT_FOUND' });
  });

  test('accounts in pages', async () => {
    await client.createLedgers([{ code: 'EUR', scale: 2 }]);
    await client.openAccounts(['x', 'y', 'z'].map((name) => ({ name, ledger: 'EUR', maxBalance: '9' })));
    const first = await client.listAccounts({ ledger: 'EUR', pageSize: 2 });
    expect(first.accounts.map(({ account }) => [account.name, account.maxBalance])).toEqual([
      ['x', '9.00'],
      ['y', '9.00'],
    ]);
    const second = await client.listAccounts({ ledger: 'EUR', pageSize: 2, pageToken: first.nextPageToken });
    expect(second.accounts.map(({ account }) => account.name)).toEqual(['z']);
    expect(second.nextPageToken).toBe('');
  });

  test('members, status with the hash of the state, and who leads after a transfer', async () => {
    expect(await client.members()).toEqual([expect.objectContaining({ name: 'node-1', suffrage: 'voter' })]);
    const hashes = (await client.status({ stateHash: true })).map(({ status }) => status?.groups[0]?.stateHash);
    expect(hashes).toHaveLength(3);
    expect(hashes[0]).toMatch(/^[0-9a-f]+$/);
    expect(new Set(hashes).size).toBe(1);
    expect(await client.transferLeadership('node-3')).toBe('node-3');
    expect(await client.transferLeadership()).toBe('node-2');
  });

  test('the status of a server that is away is its error', async () => {
    await cluster.door(2).die();
    const status = await client.status({ timeoutMs: 500 });
    expect(status.map((one) => one.error?.code)).toEqual([undefined, undefined, 'UNAVAILABLE']);
  });
});
