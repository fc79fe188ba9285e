import { ResultCode, resultInfo, resultInfoByName, type ResultInfo, SHAPE_ERRORS } from '../../../ledger/result-codes';
import { reasonByName, reasonNames } from './reasons';

export interface Explanation {
  /** Lower snake case; gRPC's `reason` is the same in upper case. */
  readonly name: string;
  /** Undefined for what no call answers. */
  readonly grpc: string | undefined;
  /** Status of the REST door; undefined for what no REST call answers. */
  readonly http: number | undefined;
  /** Whether the id stays bound to this refusal. Undefined for what is no result of the ledger. */
  readonly burnsId: boolean | undefined;
  readonly meaning: string;
  readonly advice: string;
}

/** @param name in any case */
export function explain(name: string): Explanation | undefined {
  const lower = name.toLowerCase();
  const result = resultInfoByName(lower);
  if (result) return ofResult(result);
  const reason = reasonByName(name.toUpperCase());
  return reason && { name: lower, http: undefined, burnsId: undefined, ...reason };
}

/** Every name that `explain` knows, results first. */
export function explainedNames(): string[] {
  const codes = Object.values(ResultCode).filter((code) => typeof code === 'number');
  const results = codes.map((code) => resultInfo(code).name);
  const reasons = reasonNames().map((name) => name.toLowerCase());
  return [...new Set([...results, ...Object.keys(SHAPE_ERRORS), ...reasons])];
}

function ofResult(info: ResultInfo): Explanation {
  const { name, grpc, http, burns, message } = info;
  const meaning = name === 'ok' ? 'It is done, durable on a majority of the nodes.' : message;
  return { name, grpc, http, burnsId: burns, meaning, advice: adviceOn(info) };
}

function adviceOn({ name, grpc, burns }: ResultInfo): string {
  if (name === 'ok') return 'Nothing is left to do. `replayed` says that it had been done before.';
  if (burns)
    return 'This id is spent: it will be answered with this refusal for ever. Put right what is wrong, and use a new id.';
  if (name === 'id_expired') return 'Look up what became of it; if it was not done, use a new id.';
  if (grpc === 'ALREADY_EXISTS') {
    return 'The id or the name was used for something else before. Use a new one; to ask what it stands for, look it up.';
  }
  if (grpc === 'INVALID_ARGUMENT')
    return 'Mend the request; the same id may be used again. Nothing was written to the log for it.';
  return 'The same id may be used again once what is wrong has been put right: it is then decided anew, and may be done.';
}
