import { BatchKind, NO_HASH, readHeader, sealBatch } from '../../../src/log/batch';
import { OUTCOME_ROW_BYTES } from '../../../src/ledger/outcome-row';
import { compareRows, type Comparison } from '../../../src/ledger/projection/compare-rows';
import { PostgresDatabase } from '../../../src/ledger/projection/postgres-database';
import { ProjectionSession } from '../../../src/ledger/projection/session';
import { start } from '../../support/postgres';
import { type LongHistory } from './long-history';

const IDENTITY = { clusterId: '0123456789abcdef0123456789abcdef', group: 0, projector: 'long history' };
const RECORDS_PER_TRANSACTION = 20_000;

/** Projects the whole history into a real Postgres and holds its rows against the state. Throws where they differ. */
export async function projectHistory(history: LongHistory): Promise<Comparison> {
  const server = await start();
  try {
    const database = await PostgresDatabase.connect(server.url);
    const { signal } = new AbortController();
    const session = await ProjectionSession.open(database, IDENTITY, signal, () => undefined);
    if (!session) throw new Error('The lock of an empty database was not free.');
    await projectAll(history, session);
    const compared = await compareRows(database, history.state.reader);
    await session.close();
    if (compared.differences.length > 0) throw new Error(compared.differences.join('\n'));
    return compared;
  } finally {
    await server.stop();
  }
}

async function projectAll({ batches }: LongHistory, session: ProjectionSession): Promise<void> {
  let previousHash = NO_HASH;
  let fold = session.begin();
  for (const [i, { batch, outcomes, payload }] of batches.entries()) {
    const { baseOffset, time } = batch;
    const index = i + 1;
    const count = outcomes.length / OUTCOME_ROW_BYTES;
    const place = { kind: BatchKind.Records, index, term: 1, baseOffset, count, time, commitIndex: i, group: 0 };
    const sealed = sealBatch({ ...place, previousHash }, [payload]);
    previousHash = Buffer.from(readHeader(sealed).hash);
    await session.add(fold, [{ batch: sealed, outcomes }]);
    if (fold.records < RECORDS_PER_TRANSACTION && index < batches.length) continue;
    await session.write(fold);
    fold = session.begin();
  }
}
