import { BatchFeed } from '../../../src/ledger/projection/batch-feed';
import { type Fetched } from '../../../src/ledger/projection/source';

const ANSWER: Fetched = { batches: [], commitIndex: 7, nextOffset: 3 };

/** A source whose answers the test gives by hand. */
function manualSource() {
  const asked: { from: number; resolve: (fetched: Fetched) => void; reject: (error: Error) => void }[] = [];
  const fetch = (from: number) =>
    new Promise<Fetched>((resolve, reject) => {
      asked.push({ from, resolve, reject });
    });
  return { asked, feed: new BatchFeed({ fetch }, 1024) };
}

describe('the feed of batches', () => {
  const { signal } = new AbortController();

  test('asks once until the answer is taken', async () => {
    const { asked, feed } = manualSource();
    feed.request(1);
    feed.request(1);
    asked[0]?.resolve(ANSWER);
    expect(await feed.take(signal)).toBe(ANSWER);
    feed.request(8);
    expect(asked.map(({ from }) => from)).toEqual([1, 8]);
  });

  test('an answer that comes too late for one caller is there for the next', async () => {
    const { asked, feed } = manualSource();
    feed.request(1);
    expect(await feed.take(signal, 1)).toBeUndefined();
    asked[0]?.resolve(ANSWER);
    expect(await feed.take(signal, 1)).toBe(ANSWER);
  });

  test('a refusal reaches whoever takes it, also when nobody was waiting', async () => {
    const { asked, feed } = manualSource();
    feed.request(1);
    asked[0]?.reject(new Error('trimmed'));
    await expect(feed.take(signal)).rejects.toThrow('trimmed');
    feed.request(1);
    expect(asked).toHaveLength(2);
  });

  test('an abort ends the waiting', async () => {
    const { feed } = manualSource();
    const stop = new AbortController();
    feed.request(1);
    const taken = feed.take(stop.signal);
    stop.abort();
    expect(await taken).toBeUndefined();
    expect(await feed.take(stop.signal)).toBeUndefined();
  });
});
