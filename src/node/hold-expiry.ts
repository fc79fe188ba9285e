import { encodeCommand } from '../ledger/command-codec';
import type { LedgerReader } from '../ledger/reader';
import { encodeValues, RecordType } from '../log/chunk';
import { EntryKind } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import { ReplicaError } from '../raft/replica/errors';
import type { Replica } from '../raft/replica/replica';

export interface HoldExpiryOptions {
  readonly replica: Pick<Replica, 'isLeader' | 'submit'>;
  /** Asked for anew each time, since a snapshot may replace the state. */
  readonly reader: () => Pick<LedgerReader, 'nextExpiry' | 'holdsDue'>;
  /** Microseconds since the Unix epoch, of the clock that gives batches their time. */
  readonly nowMicros: () => number;
  readonly events: EventLog;
}

const STEP_MILLIS = 100;
/** Holds that one batch lets go of: as many as a batch of a client may have records. */
const MOST_AT_ONCE = 8190;
const DEADLINE_MILLIS = 10_000;
const EXPIRE_HOLD = encodeCommand({ kind: 'expire_hold' });

/**
 * On the leader: writes a record for each hold whose time has come. That a hold has expired does not depend on it, only when
 * its money is free again; so a leader that is late or changes does no harm, and a record too many does nothing.
 */
export class HoldExpiry {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly options: HoldExpiryOptions) {}

  start(): void {
    this.timer = setInterval(() => {
      this.running ??= this.step().finally(() => (this.running = undefined));
    }, STEP_MILLIS);
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Lets go of what is due now. Never rejects: what fails is done by the next step, or the next leader. */
  async step(): Promise<void> {
    const { replica, reader, nowMicros, events } = this.options;
    const next = reader().nextExpiry();
    const now = nowMicros();
    if (!replica.isLeader || next === undefined || next > now) return;
    const count = reader().holdsDue(now, MOST_AT_ONCE);
    const records = Array.from({ length: count }, () => EXPIRE_HOLD);
    try {
      await replica.submit(EntryKind.records, encodeValues(RecordType.Ledger, records), count, DEADLINE_MILLIS);
      events.debug({ holds: count }, 'holds have expired');
    } catch (error) {
      const reason = error instanceof ReplicaError ? error.reason : undefined;
      if (reason === undefined)
        events.error({ err: error }, 'holds that have expired could not be written; trying again');
      else events.debug({ reason, holds: count }, 'holds that have expired wait to be written');
    }
  }
}
