import { Rules, RULES_VERSIONS, type RulesVersion } from '../../src/ledger/rules-versions';

/** Decides the same at another time, so that whoever goes by the wrong rules says something else to clients, and has another state. */
const LATER: RulesVersion = {
  version: RULES_VERSIONS.length + 1,
  brings: 'everything a microsecond later',
  apply: (state, batch, payload) => state.apply({ ...batch, time: batch.time + 1 }, payload),
};

/** What the program before an upgrade knows. */
export const OLD_RULES = new Rules(RULES_VERSIONS);

/** What the program after it knows as well. */
export const NEW_RULES = new Rules([...RULES_VERSIONS, LATER]);
