import { type Command, encodeCommand } from '../../../src/ledger/command-codec';
import { encodePackedRows } from '../../../src/ledger/packed-rows';
import { encodeRulesVersion, RULES_VERSIONS } from '../../../src/ledger/rules-versions';
import { BatchKind } from '../../../src/log/batch';
import { encodeRows, encodeValues } from '../../../src/log/chunk';
import { createLedger, openAccount, packed, transfer } from '../../ledger/ledger-under-test';
import type { NextBatch } from '../../support/batch-chain';
import { type StorageFlags, type StorageKit } from '../storage-kit';
import { SMALLEST } from './machine-with-runs';

/** Every row that is in a run leaves memory, and a run has as few rows as it can have. */
export const WITH_RUNS: StorageFlags = { segmentBytes: 64 * 1024, retentionBytes: 0, ids: SMALLEST };

export function commands(list: readonly Command[]): NextBatch {
  return { count: list.length, payload: encodeValues(1, list.map(encodeCommand)) };
}

/** A ledger with the accounts 1 (without a lower limit) and 2. */
export function accounts(): NextBatch {
  return commands([createLedger('USD'), openAccount('bank', { min: 'none' }), openAccount('shop')]);
}

/** Transfers with the ids `from`, `from` + 1, … from account 1 to account 2. */
export function transfers(from: number, count: number, amount = 1n): NextBatch {
  const rows = Array.from({ length: count }, (_, i) => packed(from + i, 1, 2, amount));
  return { count, payload: encodeRows(encodePackedRows(rows)) };
}

/** From here on extras go with their rows. */
export function newestRules(): NextBatch {
  return { kind: BatchKind.Version, count: 0, payload: encodeRulesVersion(RULES_VERSIONS.length) };
}

/** As `transfers`, with texts for ids, and metadata. */
export function texts(from: number, count: number): NextBatch {
  return commands(
    Array.from({ length: count }, (_, i) => {
      const metadata = Buffer.alloc((from + i) % 40, `${from + i}`);
      return transfer({ id: `order ${from + i}`, from: 'bank', to: 'shop', amount: 1n, metadata });
    }),
  );
}

/** Applies batches one by one; after each, what can be written is written. */
export async function settled(kit: StorageKit, ...batches: readonly NextBatch[]): Promise<void> {
  for (const batch of batches) {
    kit.append(batch);
    await kit.commit();
    await kit.storage.ids.idle();
  }
}

/** Gives a node the runs that the newest snapshot of another leans on, in pieces. */
export async function handOverRuns(from: StorageKit, to: StorageKit, pieceBytes: number): Promise<void> {
  const { receiver } = to.storage.ids;
  for (const run of from.storage.snapshots.newest?.meta.attachments ?? []) {
    for (let at = await receiver.beginReceive(run); at < run.bytes;) {
      at = await receiver.write(at, await from.storage.ids.receiver.read(run.name, at, pieceBytes));
    }
    await receiver.finishReceive(run.name);
  }
}
