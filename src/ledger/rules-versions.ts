import { invariant } from './invariant';
import type { LedgerBatch, LedgerState } from './state';

/** One version of the rules of money. What a version decides never changes once a release has it. */
export interface RulesVersion {
  /** From 1 on, without a gap. */
  readonly version: number;
  /** What it brought, in a few words: for operators. */
  readonly brings: string;
  /** Applies one batch under these rules; see LedgerState.apply. */
  readonly apply: (state: LedgerState, batch: LedgerBatch, payload: Buffer) => Buffer;
}

/**
 * The versions that this program can apply, the oldest first. A rule that decides anything otherwise than before needs a
 * line of its own here, and asks `tables.rulesVersion` which side of the switch it is on: a replay of an old log must give
 * what it gave then.
 */
export const RULES_VERSIONS: readonly RulesVersion[] = [
  { version: 1, brings: 'the first rules', apply: (state, batch, payload) => state.apply(batch, payload) },
  {
    version: 2,
    brings: 'texts and metadata of transfers go to the disk with their rows',
    apply: (state, batch, payload) => state.apply(batch, payload),
  },
];

/** A log or a snapshot stands under rules that this program does not know. Skipping them would make this node differ. */
export class RulesVersionError extends Error {
  override readonly name = 'RulesVersionError';
}

/** The table that a node was built with: the real one, or one that a test made. */
export class Rules {
  readonly newest: number;

  constructor(private readonly versions: readonly RulesVersion[] = RULES_VERSIONS) {
    invariant(
      versions.length > 0 && versions.every(({ version }, at) => version === at + 1),
      'Versions of the rules are numbered from 1 on, without a gap.',
    );
    this.newest = versions.length;
  }

  /** Throws RulesVersionError where this program does not know the version; `where` begins the sentence. */
  check(version: number, where: string): void {
    if (version <= this.newest) return;
    throw new RulesVersionError(
      `${where} version ${version} of the rules of money, and this program knows them up to version ${this.newest}. ` +
        'Start a newer program on this data directory; nothing was skipped, and nothing is lost.',
    );
  }

  /** Applies a batch under the version that the state stands under. */
  apply(state: LedgerState, batch: LedgerBatch, payload: Buffer): Buffer {
    const rules = this.versions[state.rulesVersion - 1];
    invariant(rules !== undefined, 'A state stands under rules that were checked before.');
    return rules.apply(state, batch, payload);
  }
}

const VERSION_BYTES = 4;

/** The payload of a version entry: the version as a u32; a newer program may add something behind it. */
export function encodeRulesVersion(version: number): Buffer {
  const payload = Buffer.alloc(VERSION_BYTES);
  payload.writeUInt32LE(version);
  return payload;
}

/** 0, which switches nothing on, where the payload is too short to name a version. */
export function decodeRulesVersion(payload: Buffer): number {
  return payload.length >= VERSION_BYTES ? payload.readUInt32LE(0) : 0;
}
