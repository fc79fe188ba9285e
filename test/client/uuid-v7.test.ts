import { parseUuid } from '../../src/ledger/identifiers';
import { uuidV7 } from '../../src/client';

describe('uuidV7', () => {
  test('has the time, the version and the variant where RFC 9562 puts them', () => {
    const uuid = uuidV7(0x0190_1234_5678);
    expect(uuid).toMatch(/^01901234-5678-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(parseUuid(uuid)).toBeDefined();
    expect(uuidV7(1)).toMatch(/^00000000-0001-7/);
  });

  test('is never the same twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => uuidV7(1))).size).toBe(10_000);
  });
});
