import type { NodeConfig } from '../../src/node/config/node-config';
import { doubtOf, expectProjection } from '../../src/node/projection';
import { UnreadLog } from '../../src/raft/replica/unread-log';

const SERVER = { kind: 'postgres', url: 'postgres://u@127.0.0.1:5432/d' } as const;
const EMBEDDED = { kind: 'embedded' } as const;

describe('a projection beside a log that is bounded', () => {
  test.each([
    [EMBEDDED, 1 << 20, undefined],
    [EMBEDDED, undefined, 60_000],
  ])('is doubtful where the database is made again from it: %p', (database, retentionBytes, retentionAge) => {
    expect(doubtOf({ database, retentionBytes, retentionAge })).toContain('--database-url');
  });

  test.each([
    [EMBEDDED, undefined],
    [SERVER, 1 << 20],
    [{ kind: 'off' } as const, 1 << 20],
  ])('is as good as ever else: %p, %p', (database, retentionBytes) => {
    expect(doubtOf({ database, retentionBytes, retentionAge: undefined })).toBeUndefined();
  });

  test.each([
    [EMBEDDED, true],
    [SERVER, true],
    [{ kind: 'off' } as const, false],
  ])('may need all of the log until it has said how far it is: %p, %p', (database, needs) => {
    const unread = new UnreadLog();
    expectProjection({ database } as NodeConfig, { unread });
    expect(unread.has(1)).toBe(needs);
  });
});
