import { ARENA_PAGE_BYTES, ByteArena } from '../../src/ledger/byte-arena';
import { InvariantViolation } from '../../src/ledger/invariant';

describe('the arena', () => {
  test('keeps entries of any length, over many pages', () => {
    const arena = new ByteArena();
    const entries = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(1 + ((i * 7919) % 1500), i));
    const refs = entries.map((entry) => arena.store(entry));
    expect(arena.bytes).toBeGreaterThan(2 * ARENA_PAGE_BYTES);
    expect(new Set(refs).size).toBe(entries.length);
    entries.forEach((entry, i) => {
      expect(arena.copyOf(refs[i] as number).equals(entry)).toBe(true);
      expect(arena.equals(refs[i] as number, entry, 0, entry.length)).toBe(true);
      expect(arena.equals(refs[i] as number, Buffer.alloc(entry.length, i + 1), 0, entry.length)).toBe(false);
      expect(arena.equals(refs[i] as number, entry, 0, entry.length - 1)).toBe(false);
    });
  });

  test('stores a part of what it is given, and 0 is never a reference', () => {
    const arena = new ByteArena();
    const ref = arena.store(Buffer.from('abcdef'), 2, 3);
    expect(ref).toBeGreaterThan(0);
    expect(arena.copyOf(ref).toString()).toBe('cde');
    expect(() => arena.copyOf(0)).toThrow(InvariantViolation);
    expect(() => arena.copyOf(2 ** 31)).toThrow(InvariantViolation);
  });

  test('refuses entries that are empty or longer than half a page', () => {
    const arena = new ByteArena();
    expect(() => arena.reserve(0)).toThrow(InvariantViolation);
    expect(() => arena.reserve(ARENA_PAGE_BYTES / 2 + 1)).toThrow(InvariantViolation);
    expect(arena.lengthOf(arena.reserve(ARENA_PAGE_BYTES / 2))).toBe(ARENA_PAGE_BYTES / 2);
  });

  test('a captured arena does not grow, and restores to the same references', () => {
    const arena = new ByteArena();
    const refs = Array.from({ length: 2000 }, (_, i) => arena.store(Buffer.alloc(1000, i)));
    const captured = arena.capture();
    arena.store(Buffer.alloc(300_000, 9));
    arena.store(Buffer.alloc(300_000, 9));
    const restored = new ByteArena();
    captured.pages.forEach((page, i) => {
      const isLast = i + 1 === captured.pages.length;
      expect(restored.restorePage(isLast ? page.subarray(0, captured.lastUsed) : page)).toBe(true);
    });
    expect(refs.every((ref, i) => restored.copyOf(ref).equals(Buffer.alloc(1000, i)))).toBe(true);
    expect(restored.restorePage(new Uint8Array(8))).toBe(false);
  });
});

test('what is cut off is zeros when the room is used again, over the border of a page too', () => {
  const arena = new ByteArena();
  const first = arena.store(Buffer.from('first'));
  const bytes = arena.bytes;
  for (let i = 0; i < 3; i++) arena.store(Buffer.alloc(ARENA_PAGE_BYTES / 2 - 100, 0xff));
  arena.truncate(bytes);
  expect(arena.bytes).toBe(bytes);
  const again = arena.reserve(64);
  expect(arena.copyOf(again)).toEqual(Buffer.alloc(64));
  expect(arena.copyOf(first).toString()).toBe('first');
  arena.truncate(0);
  expect(arena.bytes).toBe(0);
  expect(arena.store(Buffer.from('first'))).toBe(first);
});
