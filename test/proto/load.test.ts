import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clientDefinition, protoFolder, publishedPackage, serverDefinition } from '../../src/proto/load';
import { Malformed } from '../../src/proto/malformed';

describe('the published protos', () => {
  test('lie in the folder that is found', () => {
    expect(existsSync(join(protoFolder(), 'ledger/v1/record.proto'))).toBe(true);
  });

  test('define the three services and the records of the log', () => {
    const names = Object.keys(publishedPackage());
    for (const name of ['log.v1.Log', 'ledger.v1.Ledger', 'cluster.v1.Cluster', 'ledger.v1.LogRecord']) {
      expect(names).toContain(name);
    }
  });

  test('carry 64-bit integers without loss', () => {
    const { Produce } = clientDefinition('log.v1.Log');
    expect(Produce.responseDeserialize(Produce.responseSerialize({ offset: '18446744073709551615' }))).toEqual({
      offset: '18446744073709551615',
    });
  });

  test('tell an optional field that is absent from an empty one', () => {
    const { OpenAccounts } = clientDefinition('ledger.v1.Ledger');
    const server = serverDefinition('ledger.v1.Ledger');
    const decoded = server.OpenAccounts!.requestDeserialize(
      OpenAccounts.requestSerialize({ accounts: [{ name: 'Alice' }, { name: 'Bob', min_balance: '' }] }),
    ) as unknown;
    expect(decoded).toMatchObject({
      accounts: [
        { name: 'Alice', user_data: '0' },
        { name: 'Bob', min_balance: '' },
      ],
    });
    expect((decoded as { accounts: object[] }).accounts[0]).not.toHaveProperty('min_balance');
  });
});

describe('a server that decodes a request', () => {
  const produce = serverDefinition('log.v1.Log').Produce!;

  test('delivers a fault instead of throwing it', () => {
    const decoded: unknown = produce.requestDeserialize(Buffer.from([0x0a, 0x04, 0x0a, 0x09, 1, 2]));
    expect(decoded).toBeInstanceOf(Malformed);
    expect((decoded as Malformed).why).toBe('record.value is cut off: 9 bytes announced, 2 left');
  });

  test('delivers bytes as they came, without a copy', () => {
    const request = produce.requestSerialize({ record: { value: Buffer.from('hello') } });
    const decoded = produce.requestDeserialize(request) as { record: { value: Buffer } };
    expect(decoded.record.value.toString()).toBe('hello');
    expect(decoded.record.value.buffer).toBe(request.buffer);
  });
});
