import type { NodeInfo } from '../api/node-port';
import type { LedgerReader } from '../ledger/reader';
import type { NodeProjection } from './projection';
import type { RehearsalOptions } from './rehearsal/rehearsal-desk';

/** What the service of a node is told by the rest of it. */
export interface NodeServiceOptions {
  readonly info: () => NodeInfo;
  readonly emptyReader: LedgerReader;
  readonly metricsText: () => Promise<string>;
  readonly projection: () => { readonly state: string; readonly lagRecords: number };
  /** The projection itself, where there is one. */
  readonly rows?: () => NodeProjection | undefined;
  readonly rehearsals?: RehearsalOptions | undefined;
}
