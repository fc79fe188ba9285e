import { timeOfId } from './id-time';
import { ResultCode } from './result-codes';
import { type Tables } from './tables';
import { type IdFields } from './transfer-fields';

/**
 * The bound on how long ids are remembered, where the cluster has one. It is asked before an id is looked up, so that the
 * answer does not depend on whether an id that may be forgotten has been.
 */
export class IdAgeRules {
  constructor(private readonly tables: Tables) {}

  /** @param time of the batch */
  fault(source: Uint8Array, id: IdFields, time: number): ResultCode {
    const bound = this.tables.dedupAge;
    if (bound === 0) return ResultCode.OK;
    const made = timeOfId(source, id);
    // One that claims to be made later than that would have to be remembered for longer than the bound says.
    if (made === undefined || made - time > bound) return ResultCode.ID_MUST_CARRY_TIME;
    return time - made > bound ? ResultCode.ID_EXPIRED : ResultCode.OK;
  }
}
