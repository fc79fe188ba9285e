const NOTHING = Buffer.alloc(0);
const MOST_BYTES = 120;

/** What a transfer carries besides money: of every other one, of any length, and the same each time that it is sent. */
export function metadataOf(id: string): Buffer {
  const number = Number(/[0-9]+$/.exec(id)?.[0] ?? 0);
  return number % 2 === 0 ? NOTHING : Buffer.alloc((number * 37) % MOST_BYTES, `of ${id}; `);
}
