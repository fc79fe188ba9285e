/** The TypeScript client. See docs/client.md. */
export { LedgerClient, type ClientOptions } from './ledger-client';
export { LedgerError, ClientReason, type ErrorCode } from './errors';
export { packTransfers, type PackableTransfer } from './row-packing';
export { parseKeys, type ProvenTransfer, type PublishedKeys, verifyProof } from '../proof/verify-proof';
export { headJson, parseProof, ProofError, proofJson, type TransferProof } from '../proof/transfer-proof';
export type { SignedHead } from '../proof/signed-head';
export { uuidV7 } from './uuid-v7';
export { decodeLedgerRecord, type LedgerRecord } from './ledger-record';
export { resultName } from '../ledger/result-codes';
export type { AccountPage, ListOptions, TransactionInput } from './ledger-calls';
export { type DryRunInput, type DryRunOutcome, whyUnsendable } from './dry-run';
export type { DryRunStream } from './dry-run-stream';
export type { GroupStatus, MemberView, NodeStatus, ServerStatus } from './cluster-calls';
export type { BalanceChanges, WatchOptions } from './balance-stream';
export type { ConsumeOptions, RecordFilter } from './record-stream';
export type { Value } from './log-calls';
export type * from './past-types';
export type * from './types';
