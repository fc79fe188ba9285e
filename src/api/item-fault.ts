import { type ResultInfo, SHAPE_ERRORS, type ShapeError } from '../ledger/result-codes';

/** An item that is refused for its shape, before the log. */
export class ItemFault {
  constructor(
    readonly info: ResultInfo,
    /** The item's field that is to blame. */
    readonly field: string,
  ) {}
}

export function itemFault(error: ShapeError, field: string): ItemFault {
  return new ItemFault(SHAPE_ERRORS[error], field);
}
