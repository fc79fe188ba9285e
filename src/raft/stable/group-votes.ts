import { join } from 'node:path';
import type { FileSystem } from '../../log/files';
import type { HardState } from '../core/types';
import { failed, type StableDatabase } from './stable-database';
import { encodeRecord, groupKey } from './stable-records';
import { StableStoreError, type VoteState } from './stable-store';
import { VoteFile, type Slots } from './vote-file';
import { recoverVote, type LevelVote, type Owner, type Recovery, type VoteCopies } from './vote-recovery';
import { SLOT_BYTES, type SlotRecord } from './vote-slot';

const FILE_NAME = 'vote';

export interface VotesPlace {
  readonly files: FileSystem;
  /** The group's folder. */
  readonly directory: string;
  readonly database: StableDatabase;
  readonly owner: () => Owner;
}

type Sound = Extract<Recovery, { kind: 'ok' }>;

/** Term and vote of one group: in the database, and in the vote file. See vote-recovery.ts for why in this order. */
export class GroupVotes {
  private last: Promise<unknown> = Promise.resolve();
  private failure: StableStoreError | undefined;

  private constructor(
    private readonly place: VotesPlace,
    private file: VoteFile | undefined,
    private recovery: Recovery,
    private readonly slots: Slots | undefined,
  ) {}

  /** A group that is new, or new to this incarnation. Its record is in the database already, as number 1. */
  static async create(place: VotesPlace, hardState: HardState): Promise<GroupVotes> {
    await place.files.makeDirectory(place.directory);
    const first: Sound = { kind: 'ok', hardState, sequence: 1, levelSequence: 1, finish: 'nothing' };
    const file = await VoteFile.create(place.files, join(place.directory, FILE_NAME), slotRecord(place, first));
    return new GroupVotes(place, file, first, undefined);
  }

  /** What is left on the disk, with the end of a write that a crash has cut off. */
  static async open(place: VotesPlace, level: VoteCopies['level']): Promise<GroupVotes> {
    const opened = await VoteFile.open(place.files, join(place.directory, FILE_NAME));
    const recovery = recoverVote({ owner: place.owner(), slots: opened?.slots ?? 'missing', level });
    if (recovery.kind === 'ok' && recovery.finish === 'file') {
      await opened?.file.close();
      return GroupVotes.create(place, recovery.hardState);
    }
    if (recovery.kind === 'ok' && recovery.finish === 'slot') await opened?.file.write(slotRecord(place, recovery));
    return new GroupVotes(place, opened?.file, recovery, opened?.slots);
  }

  get state(): VoteState {
    const { recovery, place, slots } = this;
    if (recovery.kind === 'ok') return { kind: 'ok', hardState: recovery.hardState };
    const damaged = slots?.findIndex(({ kind }) => kind === 'damaged') ?? -1;
    return { ...recovery, file: join(place.directory, FILE_NAME), position: Math.max(0, damaged) * SLOT_BYTES };
  }

  /** Resolves when both copies are durable, or the vote file alone on a full disk. */
  save(hardState: HardState): Promise<void> {
    const save = this.last.then(() => this.saveNow(hardState));
    this.last = save.catch(() => undefined);
    return save;
  }

  async close(): Promise<void> {
    await this.last;
    await this.file?.close();
    this.file = undefined;
  }

  private async saveNow(hardState: HardState): Promise<void> {
    if (this.failure) throw this.failure;
    const { recovery, file, place } = this;
    if (recovery.kind === 'doubtful' || file === undefined) {
      const why = recovery.kind === 'doubtful' ? recovery.why : 'the store is closed';
      throw new StableStoreError('VOTE_DOUBTFUL', `This node must not vote, for ${why}. Give it a new incarnation.`);
    }
    assertFollows(recovery.hardState, hardState);
    if (hardState.term === recovery.hardState.term && hardState.vote === recovery.hardState.vote) return;
    const sequence = recovery.sequence + 1;
    const key = groupKey(place.owner().group, 'vote');
    const record: LevelVote = { sequence, hardState };
    try {
      const outcome = await place.database.write([[key, encodeRecord(key, record)]]);
      const levelSequence = outcome === 'durable' ? sequence : recovery.levelSequence;
      const next: Sound = { kind: 'ok', hardState, sequence, levelSequence, finish: 'nothing' };
      await file.write(slotRecord(place, next));
      this.recovery = next;
    } catch (error) {
      this.failure = error instanceof StableStoreError ? error : failed(error);
      throw this.failure;
    }
  }
}

function slotRecord(place: VotesPlace, { hardState, sequence, levelSequence }: Sound): SlotRecord {
  return { ...place.owner(), hardState, sequence, levelSequence };
}

/** A node that takes a vote back has broken Raft (figure 2 of the paper); better that it ends. */
function assertFollows(before: HardState, after: HardState): void {
  const withdrawn = after.term === before.term && before.vote !== '' && after.vote !== before.vote;
  if (after.term < before.term || withdrawn) {
    throw new RangeError(
      `Term ${after.term} with vote "${after.vote}" cannot follow term ${before.term} with vote "${before.vote}":` +
        ' a term never falls, and a vote is never changed within its term.',
    );
  }
}
