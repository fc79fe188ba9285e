/** The rows of the tables of results: what each door makes of one. */

/** Canonical gRPC code names that a result of the ledger maps to. */
export type ResultGrpcCode = 'OK' | 'INVALID_ARGUMENT' | 'ALREADY_EXISTS' | 'NOT_FOUND' | 'FAILED_PRECONDITION';

export interface ResultInfo {
  /** Lower snake case; the same on every door. `ErrorInfo.reason` is this in upper case. */
  readonly name: string;
  /** One sentence for people; empty for `ok`. */
  readonly message: string;
  readonly grpc: ResultGrpcCode;
  readonly http: number;
  /** The refusal is remembered: the same id is answered with it for ever. */
  readonly burns: boolean;
}

export const refused = (name: string, message: string): ResultInfo => ({
  name,
  message,
  grpc: 'FAILED_PRECONDITION',
  http: 422,
  burns: false,
});
export const burned = (name: string, message: string): ResultInfo => ({ ...refused(name, message), burns: true });
export const notFound = (name: string, message: string, burns: boolean): ResultInfo => ({
  name,
  message,
  grpc: 'NOT_FOUND',
  http: 422,
  burns,
});
export const exists = (field: string, what: string): ResultInfo => ({
  name: `exists_with_different_${field}`,
  message: `This already exists with ${what}; nothing was changed.`,
  grpc: 'ALREADY_EXISTS',
  http: 409,
  burns: false,
});
export const shape = (name: string, message: string): ResultInfo => ({
  name,
  message,
  grpc: 'INVALID_ARGUMENT',
  http: 400,
  burns: false,
});
