/** A name and what `ledger errors` says of it. */
export type Row = readonly [
  /** Upper snake case. */
  name: string,
  /** Name of the canonical gRPC code; undefined for what no call answers. */
  grpc: string | undefined,
  meaning: string,
  advice: string,
];
