import { SequentialReader } from '../../../src/raft/snapshot/sequential-reader';
import { SeededRandom } from '../../support/seeded-random';

const MIB = 1 << 20;

/** A file in memory that says how many reads are under way. */
class MemoryFile {
  reading = 0;

  constructor(private readonly content: Buffer) {}

  async read(into: Buffer, position: number): Promise<number> {
    this.reading++;
    await new Promise((resolve) => setImmediate(resolve));
    this.reading--;
    return this.content.copy(into, 0, position, position + into.length);
  }
}

function content(length: number): Buffer {
  const random = new SeededRandom(length);
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

describe('a file that is read from its beginning to its end', () => {
  test.each([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 7])('of %i bytes gives all of them', async (length) => {
    const bytes = content(length);
    const reader = new SequentialReader(new MemoryFile(bytes), 0);
    const random = new SeededRandom(1);
    const seen: Buffer[] = [];
    for (;;) {
      const wanted = 1 + random.below(random.below(3) === 0 ? 2 * MIB : 50_000);
      const piece = await reader.next(wanted);
      seen.push(Buffer.from(piece));
      if (piece.length < wanted) break;
    }
    expect(Buffer.concat(seen).equals(bytes)).toBe(true);
    expect(await reader.next(10)).toHaveLength(0);
  });

  test('begins where it is told', async () => {
    const bytes = content(MIB + 100);
    const reader = new SequentialReader(new MemoryFile(bytes), 90);
    expect((await reader.next(MIB)).equals(bytes.subarray(90, 90 + MIB))).toBe(true);
    expect((await reader.next(MIB)).equals(bytes.subarray(90 + MIB))).toBe(true);
  });

  test('is not read any more once it has settled', async () => {
    const file = new MemoryFile(content(3 * MIB));
    const reader = new SequentialReader(file, 0);
    await reader.next(10);
    expect(file.reading).toBe(1);
    await reader.settled();
    expect(file.reading).toBe(0);
  });

  test('that cannot be read tells whoever asks, and nobody else', async () => {
    const reader = new SequentialReader({ read: () => Promise.reject(new Error('the disk is gone')) }, 0);
    await reader.settled();
    await expect(reader.next(1)).rejects.toThrow('the disk is gone');
  });
});
