import { dirname } from 'node:path';
import type { FileSystem } from '../log/files';
import { SnapshotError } from '../raft/snapshot';
import type { SnapshotPlace } from './snapshot-audit';
import { SnapshotReader } from '../raft/snapshot';
import { scratchMachine } from './scratch-machine';

/** The codes of ledgers by their numbers, as far as a log that is printed from somewhere in its middle tells them. */
export class LedgerCodesSeen {
  private readonly codes = new Map<number, string>();

  /** From the newest snapshot that can be read; without one, only what is seen on the way is known. */
  async learnFrom(files: FileSystem, snapshots: readonly SnapshotPlace[]): Promise<void> {
    for (const { path } of [...snapshots].reverse()) {
      try {
        const reader = await SnapshotReader.open(files, path);
        try {
          const machine = scratchMachine(files, dirname(path));
          await machine.restore(reader.chunks(), reader.meta);
          await machine.close();
          for (let number = 1; ; number++) {
            const ledger = machine.reader.ledgerByNumber(number);
            if (!ledger) return;
            this.codes.set(number, ledger.code);
          }
        } finally {
          await reader.close();
        }
      } catch (error) {
        // That it is damaged is for `verify` to say; an older one knows nearly as much.
        if (!(error instanceof SnapshotError)) throw error;
      }
    }
  }

  /** A ledger was created by a record that says its number, or by one of the system's, which says none. */
  created(code: string, number?: number): void {
    if ([...this.codes.values()].includes(code)) return;
    this.codes.set(number ?? this.codes.size + 1, code);
  }

  codeOf(number: number): string {
    return this.codes.get(number) ?? '';
  }
}
