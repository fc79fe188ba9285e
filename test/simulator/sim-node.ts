import type { Tags } from '../../src/discovery/member';
import { RulesVersionError } from '../../src/ledger/rules-versions';
import { FileSystemError } from '../../src/log/files';
import { LogDamageError } from '../../src/log/log-errors';
import type { GroupStorage } from '../../src/node/group-storage';
import { IdFileDamageError } from '../../src/node/ids/run-format';
import type { OutcomeKeeper } from '../../src/node/outcome-keeper';
import type { PeerAddresses } from '../../src/node/peer-addresses';
import { StartupError } from '../../src/node/startup-error';
import type { WritePath } from '../../src/node/write-path';
import type { Configuration, Message, NodeId } from '../../src/raft/core';
import type { Replica } from '../../src/raft/replica/replica';
import { NoUsableSnapshotError } from '../../src/raft/replica/snapshotter';
import { SnapshotError } from '../../src/raft/snapshot';
import { StableStoreError } from '../../src/raft/stable';
import type { CallHandler } from '../../src/raft/transport';
import { FaultyFiles, type FileOperation } from '../support/faulty-files';
import type { Survival } from '../support/faulty-inode';
import { SeededRandom } from '../support/seeded-random';
import { ProcessLife } from './process-life';
import { formatMember, SimProcess } from './sim-process';
import type { SimWorld } from './sim-world';
import { Violation } from './violation';
import type { SimDoor } from './sim-door';
import { OLD_RULES } from './sim-rules';
import { MILLISECOND } from './virtual-time';

/** What a program that saves itself says, and how it is counted. */
const REPAIRS = [
  ['log mended', 'was mended'],
  ['log set aside', 'is set aside'],
  ['node begins anew', 'begins anew'],
] as const;
const NAMES_A_FILE = /\/(node|db)(\/|:)/;

/** What a running process holds. */
export interface Running {
  readonly storage: GroupStorage;
  readonly replica: Replica;
  readonly writes: WritePath;
  readonly addresses: PeerAddresses;
  readonly door: SimDoor;
  readonly outcomes: OutcomeKeeper;
}

/**
 * What the operator has in mind for a machine. `spare`: stands by, empty. `serving`: is to be a member. `leaving`: is being
 * removed. `removed`: is no member any more, and runs on because nobody has stopped it.
 */
export type Duty = 'spare' | 'serving' | 'leaving' | 'removed';

/** One machine: a disk, a clock, and at most one process of the real program, which can be killed at any moment. */
export class SimNode {
  disk = new FaultyFiles();
  /** The id of its disk; empty while that holds nothing. */
  id: NodeId = '';
  /** What its process says it belongs to. */
  clusterId = '';
  duty: Duty = 'spare';
  /** What the program that is installed here knows. */
  rules = OLD_RULES;
  /** The program ended itself because it does not know the rules that hold. */
  needsUpgrade = false;
  /** Its gossip says that it is gone for good. */
  saysFarewell = false;
  /** Of the address at which its peers find it. */
  port = 1;
  /** Machines that its gossip wrongly holds for failed. */
  readonly doubts = new Set<string>();
  /** Microseconds that this machine's wall clock is ahead. */
  skewMicros = 0;
  /** Each operation on the disk takes up to so long, in microseconds. */
  diskMicros = 300;
  /** The next sync fails, and with it everything that was not synced is gone. */
  failNextSync = false;
  /** Asked before each operation on the disk; true: the machine has failed, and the operation never happens. */
  ambush: ((operation: FileOperation, path: string) => boolean) | undefined;
  /** Nobody starts it before, unless everything is healed. */
  awayUntil = 0;
  /** The write to the log that was the last until now went astray: nothing on the disk shows that it was ever made. */
  lastWriteLost = false;
  life: ProcessLife | undefined;
  running: Running | undefined;
  handlers = new Map<number, CallHandler>();
  readonly random: SeededRandom;
  private bootedAt = 0;

  constructor(
    private readonly world: SimWorld,
    readonly name: string,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  get rpcAddr(): string {
    return `${this.name}:${this.port}`;
  }

  newId(): NodeId {
    return this.random.bytes(8).toString('hex');
  }

  /** What its gossip says about it. */
  announcement(): { readonly tags: Tags; readonly incarnation: number } {
    const { id, name, rpcAddr, clusterId, bootedAt } = this;
    const role = clusterId === '' ? 'joining' : 'member';
    const tags: Tags = {
      clusterId,
      nodeId: id,
      name,
      rpcAddr,
      role,
      nonVoter: false,
      formatVersion: this.rules.newest,
    };
    return { tags, incarnation: Math.floor(bootedAt / MILLISECOND) };
  }

  /** Makes the data directory of a member of a new cluster, before any fault. */
  async format(configuration: Configuration): Promise<void> {
    this.duty = 'serving';
    await formatMember(this.world.clusterId, this, configuration);
  }

  /** Starts the process; it is up when `running` is set. */
  boot(): void {
    const { time, trace } = this.world;
    const life = new ProcessLife(this.name, time, trace, {
      skewMicros: () => this.skewMicros,
      logged: (message) => this.logged(message),
      ran: () => this.world.touched.add(this),
    });
    this.life = life;
    this.bootedAt = time.now;
    this.disk.intercept = (operation, path) => this.operation(life, operation, path);
    trace.add(this.name, 'boot');
    new SimProcess(this.world, this, life, (error) => this.fatal(life, error)).start().catch((error: unknown) => {
      if (life.isAlive) this.fatal(life, error);
    });
  }

  /** Ends the process. What it wrote stays in the system's memory, unsynced, for the next one to find. */
  kill(): void {
    if (this.life) this.world.processEnded(this);
    this.end();
  }

  private end(): void {
    this.life?.kill();
    this.life = undefined;
    this.running = undefined;
    this.handlers = new Map();
    // What this process still asks of the disk, in the very step in which it ends, is never done.
    this.disk.intercept = () => new Promise<never>(() => undefined);
    this.disk.astray = undefined;
    this.ambush = undefined;
    if (this.lastWriteLost) this.loseDisk();
  }

  /** Ends the process and takes from the disk what was not synced, as far as `survival` says. */
  losePower(survival: Survival): void {
    this.end();
    this.disk = this.disk.afterPowerLoss(survival);
  }

  /** The machine of peer `gone` answers that nobody listens there. */
  refused(gone: NodeId): void {
    const { life } = this;
    life?.run(() => {
      if (this.life === life) this.running?.replica.peerGone(gone);
    });
  }

  /** Ends the process and puts an empty disk in the place of the one it had. */
  loseDisk(): void {
    this.lastWriteLost = false;
    this.kill();
    this.disk = new FaultyFiles();
    this.id = '';
    this.clusterId = '';
  }

  receive(message: Message): void {
    const { life } = this;
    life?.run(() => {
      if (this.life === life) this.running?.replica.receive(message);
    });
  }

  private logged(message: string): void {
    for (const [kind, words] of REPAIRS) {
      if (!message.includes(words)) continue;
      this.world.counts.add(kind);
      // A crash leaves nothing that would have to be mended.
      if (!this.world.isHurt(this))
        this.world.fail(new Violation('durability', `${this.name}, whose disk is whole, says: ${message}`));
    }
  }

  /** One operation on the disk takes its time, and may fail. */
  private async operation(life: ProcessLife, operation: FileOperation, path: string): Promise<void> {
    await life.sleep(1 + this.random.below(this.diskMicros));
    if (this.ambush?.(operation, path)) await new Promise<never>(() => undefined);
    if (!this.failNextSync || !(operation === 'datasync' || operation === 'sync')) return;
    this.failNextSync = false;
    this.world.counts.add('failed fsync');
    this.world.trace.add(this.name, `a sync of ${path} fails`);
    this.disk.inode(path).dropUnsynced();
    throw new FileSystemError(operation, path, 'EIO');
  }

  /** The program ended itself: right where its disk failed, or is damaged, and a bug anywhere else. */
  private fatal(life: ProcessLife, error: unknown): void {
    if (!life.isAlive || this.life !== life) return;
    this.world.trace.add(this.name, `ends itself: ${error instanceof Error ? error.message : String(error)}`);
    if (isDiskFault(error)) this.endedByItsDisk();
    else if (this.disk.capacityBytes < Infinity && isForWantOfRoom(error)) this.kill();
    else if (this.rules === OLD_RULES && isAboutRules(error)) {
      this.world.counts.add('program too old');
      this.needsUpgrade = true;
      this.kill();
    } else if (this.world.isHurt(this) && isDamage(error)) this.endedByDamage(error);
    else this.world.fail(error);
  }

  /**
   * Its supervisor starts it again, on a machine that runs on or on one that is switched off and on. In the first case it can
   * read what the failed sync has forgotten, and another sync does not bring it to the disk.
   */
  private endedByItsDisk(): void {
    if (this.random.chance(0.5)) this.losePower('nothing');
    else this.kill();
  }

  /** A process that met damage is started again; where it does not even start, its operator puts in an empty disk. */
  private endedByDamage(error: Error): void {
    if (!NAMES_A_FILE.test(error.message)) {
      this.world.fail(new Violation('damage is named', `${this.name} refuses, and names no file: ${error.message}`));
    }
    if (this.running) this.kill();
    else {
      this.loseDisk();
      this.world.counts.add('disk given up');
      this.world.trace.add(this.name, 'gets an empty disk');
    }
  }
}

function isDiskFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error instanceof FileSystemError && error.code === 'EIO') || isDiskFault(error.cause);
}

/** A write into the log that does not fit is fatal, and so is a start that cannot make what it needs. */
function isForWantOfRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const refused = error instanceof StartupError && error.message.includes('the disk is full');
  const full = error instanceof StableStoreError && error.code === 'DISK_FULL';
  return (
    refused || full || (error instanceof FileSystemError && error.code === 'ENOSPC') || isForWantOfRoom(error.cause)
  );
}

/** A program that is older than the rules that hold must stop, and not go by those that it knows. */
function isAboutRules(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const refused = error instanceof StartupError && error.message.includes('rules of money');
  return refused || error instanceof RulesVersionError || isAboutRules(error.cause);
}

/** What the program says of a disk that does not hold what was written to it: with the file, for its operator. */
function isDamage(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const typed =
    error instanceof LogDamageError ||
    error instanceof SnapshotError ||
    error instanceof IdFileDamageError ||
    error instanceof NoUsableSnapshotError ||
    error instanceof StableStoreError ||
    error instanceof StartupError;
  return typed || isDamage(error.cause);
}
