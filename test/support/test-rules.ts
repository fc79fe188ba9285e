import { ChunkFormatError, iterateChunks, RecordType } from '../../src/log/chunk';
import { Rules, RULES_VERSIONS, type RulesVersion } from '../../src/ledger/rules-versions';

const NOTHING = Buffer.alloc(0);

/** Rules that differ from those before in what anyone can see: a batch with a producer's value in it is malformed. */
export const NO_VALUES: RulesVersion['apply'] = (state, batch, payload) =>
  state.apply(batch, batch.kind === 'records' && holdsValues(payload) ? NOTHING : payload);

function holdsValues(payload: Buffer): boolean {
  try {
    return iterateChunks(payload).some(({ type }) => type === RecordType.Value);
  } catch (error) {
    // Not chunks at all: the ledger says what becomes of that.
    if (error instanceof ChunkFormatError) return false;
    throw error;
  }
}

/** The first rules, and so many that tests made: as a program of that age knows them. */
export function rulesUpTo(newest: number): Rules {
  const first = RULES_VERSIONS[0] as RulesVersion;
  const later = Array.from({ length: newest - 1 }, (_, at) => ({
    version: at + 2,
    brings: 'no values',
    apply: NO_VALUES,
  }));
  return new Rules([first, ...later]);
}
