/** Holds the checkpoint against the batch of the log that it names. */
import { type LastBatch } from './compare-log';
import { bytesText, timeText } from './compare-text';
import { type Queries } from './database';
import { type Differences } from './differences';

/** @param last undefined: the log that was gone through has no batch */
export async function compareCheckpoint(
  queries: Queries,
  group: number,
  last: LastBatch | undefined,
  differences: Differences,
): Promise<void> {
  if (last === undefined) return;
  const expected = {
    log_offset: String(last.lastOffset),
    batch_hash: bytesText(last.hash),
    batch_time: timeText(last.time),
  };
  const { rows } = await queries.query(
    `SELECT ${Object.keys(expected).join(', ')} FROM ledger.checkpoint WHERE partition = $1::text::integer`,
    [String(group)],
  );
  for (const [column, value] of Object.entries(expected)) {
    const found = rows[0]?.[column] ?? null;
    if (found === value) continue;
    differences.add(
      `The checkpoint at entry ${last.index} has ${column} ${found ?? 'null'} in the rows; the log has ${value}.`,
    );
  }
}
