import { encodeValues } from '../log/chunk';
import { encodeCommand } from '../ledger/command-codec';
import { encodeRulesVersion } from '../ledger/rules-versions';
import { EntryKind } from '../raft/core';
import type { EventLog } from '../raft/replica/environment';
import { ReplicaError } from '../raft/replica/errors';
import type { NodeConfig } from './config/node-config';
import type { GroupRuntime } from './group-runtime';

const LEDGER_RECORD = 1;
const ROUNDING_REJECT = 0;
const ROUNDING_HALF_UP = 1;
const DEADLINE_MILLIS = 10_000;
const RETRY_MILLIS = 50;

/**
 * A new cluster begins under the newest rules, and has a ledger from the start: USD, two digits; and, where its first node
 * was told one, a bound on the memory of ids. These are system records, which take no offset. Resolves once it is there; asked again after a crash it does what is missing and nothing twice.
 */
export async function createFirstLedger(
  group: GroupRuntime,
  { dev, dedupAge }: Pick<NodeConfig, 'dev' | 'dedupAge'>,
  events: EventLog,
): Promise<void> {
  const usd = encodeCommand({
    kind: 'create_ledger',
    code: 'USD',
    scale: 2,
    autoOpen: dev,
    rounding: dev ? ROUNDING_HALF_UP : ROUNDING_REJECT,
    defaultMinBalance: dev ? undefined : 0n,
    defaultMaxBalance: undefined,
  });
  // In one entry, so that there is no ledger without the bound: an id that was taken before it might be forgotten.
  const bound = dedupAge === undefined ? [] : [encodeCommand({ kind: 'set_dedup_age', ageMs: dedupAge })];
  const records = [...bound, usd];
  const chunk = encodeValues(LEDGER_RECORD, records);
  while (group.machine.reader.ledger('USD') === undefined) {
    try {
      const { machine } = group;
      if (machine.rulesVersion < machine.rules.newest) {
        await group.replica.submit(EntryKind.version, encodeRulesVersion(machine.rules.newest), 0, DEADLINE_MILLIS);
      }
      await group.replica.submit(EntryKind.system, chunk, records.length, DEADLINE_MILLIS);
    } catch (error) {
      if (!(error instanceof ReplicaError) || error.reason === 'STOPPING') throw error;
      events.debug({ reason: error.reason }, 'the first ledger waits for a leader');
      await group.leaderSignal.next(RETRY_MILLIS);
    }
  }
  tellBound(group, dedupAge, events);
}

/** Of a node that has its cluster's first ledger: what it was told of ids holds only where it was told that when they began. */
function tellBound(group: GroupRuntime, dedupAge: number | undefined, events: EventLog): void {
  const held = group.machine.reader.dedupAgeMs();
  if (dedupAge === undefined || dedupAge === held) return;
  const bound = held === 0 ? 'for ever' : `for ${held} ms`;
  events.warn(
    {},
    `--dedup-age is fixed when a cluster begins: this one remembers ids ${bound}, whatever its nodes are told`,
  );
}

/** Only the first node of a cluster that has no records yet makes its first ledger. */
export function needsFirstLedger(group: GroupRuntime): boolean {
  const { voters } = group.replica.status().configuration;
  const alone = voters.length === 1 && voters[0] === group.replica.id;
  return alone && group.machine.nextOffset === 0 && group.machine.reader.ledgers().length === 0;
}
