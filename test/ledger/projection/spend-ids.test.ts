import { ProjectionSession } from '../../../src/ledger/projection/session';
import { spendIds } from '../../../src/ledger/projection/row-updates';
import { TransferPart } from '../../../src/ledger/projection/transfer-parts';
import { KINDS, makePlace, type TestPlace } from './databases';
import { CLUSTER } from './running-projector';

const MINUTES = 120_000;
const IDENTITY = { clusterId: CLUSTER, group: 0, projector: 'ids' };
/** On a server as many as would take it hours, were each compared with each; the embedded one is only to understand it. */
const ROWS = { postgres: 200_000, embedded: 4_000 } as const;

describe.each(KINDS)('refusals that spend their id (%s)', (kind) => {
  let place: TestPlace;

  beforeAll(async () => {
    place = await makePlace(kind);
  }, MINUTES);
  afterAll(() => place.remove(), MINUTES);

  test(
    'are the first of their id where no row has spent it, in a part that nobody has looked at before',
    async () => {
      const rows = ROWS[kind];
      const { signal } = new AbortController();
      const session = await ProjectionSession.open(await place.open(), IDENTITY, signal, () => undefined);
      await session?.close();
      const database = await place.open();
      const part = new TransferPart(0, 2 ** 21);
      // Every second one is undecided. Of these every second one has the id of the row before it, which has spent it; and of the
      // others every second one has the id of the one four rows before it.
      const id = `CASE n % 8 WHEN 1 THEN 'b' || n WHEN 5 THEN 'b' || (n - 4) ELSE 'a' || (n - n % 2) END`;
      const offsets = Array.from({ length: rows / 2 }, (_, i) => 2 * i + 1);
      await database.transaction(async (transaction) => {
        await part.create(transaction, database.persistence);
        await part.attach(transaction, part.end);
        await transaction.script(
          `INSERT INTO ledger.transfers (partition, log_offset, time, id, code, spends_id, amount_moved, user_data)
           SELECT 0, n, now(), ${id}, 0, n % 2 = 0, 0, 0 FROM generate_series(0, ${rows - 1}) n`,
        );
        await part.makeIndexes(transaction);
        await spendIds(transaction, offsets, 0);
      });
      const { rows: found } = await database.query(
        `SELECT count(*)::text AS spent, count(*) FILTER (WHERE log_offset % 8 = 1)::text AS first
           FROM ledger.transfers WHERE spends_id AND log_offset % 2 = 1`,
      );
      expect(found).toEqual([{ spent: String(rows / 8), first: String(rows / 8) }]);
      const { rows: ways } = await database.query('SHOW enable_seqscan');
      expect(ways).toEqual([{ enable_seqscan: 'on' }]);
      await database.close();
    },
    MINUTES,
  );
});
