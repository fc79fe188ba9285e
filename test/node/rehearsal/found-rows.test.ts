import { TRANSFER_WORDS } from '../../../src/ledger/transfer-row';
import { memoryOf, packFound, unpackFound } from '../../../src/node/rehearsal/found-rows';

const words = (first: number): Uint32Array => Uint32Array.from({ length: TRANSFER_WORDS }, (_, i) => first + i);

test('rows come out as they went in, and take along no byte of the blocks that they were read in', () => {
  const block = Uint8Array.from({ length: 4096 }, (_, i) => i);
  const found = [
    { row: 70, words: words(100), extras: block.subarray(5, 9) },
    { row: 3, words: words(200), extras: undefined },
    { row: 4_000_000_000, words: words(300), extras: block.subarray(9, 10) },
  ];
  const packed = packFound(found);
  const memory = memoryOf(packed);
  expect(memory.map(({ byteLength }) => byteLength)).toEqual([12, 12 * TRANSFER_WORDS, 12, 5]);
  const moved = structuredClone(packed, { transfer: memory });
  expect(unpackFound(moved)).toEqual(
    found.map((row) => ({ ...row, extras: row.extras && Uint8Array.from(row.extras) })),
  );
  expect(packed.words).toHaveLength(0);
});

test('none are none', () => expect(unpackFound(packFound([]))).toEqual([]));
