import { join } from 'node:path';
import { types } from 'node:util';
import { NodeFiles } from '../log/node-files';
import { isMissing, type FileSystem } from '../log/files';
import { EMPTY_CONFIGURATION, type Configuration } from '../raft/core';
import { systemClock, type EventLog } from '../raft/replica/environment';
import { DataDirInUseError, DataDirLock, MAX_KNOWN_PEERS, type StableStore } from '../raft/stable';
import type { NodeConfig } from './config/node-config';
import type { Adoption } from './join-desk';
import { newNodeId, openStable } from './stable-directory';
import { StartupError } from './startup-error';

export const FIRST_GROUP = 0;

/** Everything durable of one node, and its identity: cluster, name, and the incarnation of the disk. */
export class DataDirectory {
  private constructor(
    readonly path: string,
    readonly files: FileSystem,
    readonly stable: StableStore,
    private readonly lock: DataDirLock,
  ) {}

  /** Locks and opens the directory; makes a new one where that was asked for. Rejects with StartupError. */
  static async open(config: NodeConfig, events: EventLog): Promise<DataDirectory> {
    const files = new NodeFiles();
    // Nothing is made where nothing was asked for: a mistyped path stays as it was.
    if (!mayBegin(config) && (await isEmpty(config.dataDir, files))) throw nothingToDo(config.dataDir);
    const lock = locked(config.dataDir);
    let stable: StableStore | undefined;
    try {
      stable = await openStable({ config, files, events });
      const directory = new DataDirectory(config.dataDir, files, stable, lock);
      for (const damage of stable.damage) events.warn({ damage }, 'damage in the stable store');
      await directory.claim(config);
      return directory;
    } catch (error) {
      await stable?.close();
      lock.release();
      throw error;
    }
  }

  get clusterId(): string {
    return this.stable.identity?.clusterId ?? '';
  }

  get nodeId(): string {
    return this.stable.identity?.nodeId ?? '';
  }

  get nodeName(): string {
    return this.stable.identity?.nodeName ?? '';
  }

  /** Of the cluster; 1 while the node belongs to none. */
  get partitions(): number {
    return Math.max(1, this.stable.identity?.partitions ?? 1);
  }

  get knownPeers(): readonly string[] {
    return this.stable.knownPeers();
  }

  groupFolder(group: number): string {
    return join(this.path, 'groups', String(group));
  }

  saveKnownPeers(addresses: readonly string[]): Promise<void> {
    return this.stable.saveKnownPeers(addresses.slice(0, MAX_KNOWN_PEERS));
  }

  /** The first node of a new cluster: its first configuration is this node alone. */
  async bootstrapCluster(adoption: Adoption, rpcAddr: string): Promise<void> {
    const { nodeId, nodeName } = this.stable.identity ?? {};
    if (nodeId === undefined || nodeName === undefined)
      throw new Error('A data directory without an identity cannot begin a cluster.');
    const configuration: Configuration = {
      voters: [nodeId],
      votersOutgoing: [],
      learners: [],
      servers: [{ id: nodeId, name: nodeName, rpcAddr }],
    };
    if (!this.stable.groups().includes(FIRST_GROUP)) await this.stable.createGroup(FIRST_GROUP);
    await this.stable.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration });
    // Last, so that a crash before it leaves a directory that may bootstrap or join again.
    await this.stable.joinCluster(adoption.clusterId, adoption.partitions);
  }

  joinCluster(adoption: Adoption): Promise<void> {
    return joinCluster(this.stable, adoption);
  }

  async close(): Promise<void> {
    await this.stable.close();
    this.lock.release();
  }

  private async claim(config: NodeConfig): Promise<void> {
    const { identity } = this.stable;
    if (identity === undefined) {
      if (!mayBegin(config)) throw nothingToDo(config.dataDir);
      await this.stable.initialise({
        clusterId: '',
        nodeName: config.nodeName,
        nodeId: newNodeId(),
        createdAt: systemClock.wallMicros(),
        partitions: 0,
      });
      return;
    }
    if (identity.nodeName !== config.nodeName) {
      throw new StartupError(
        `${config.dataDir} belongs to node "${identity.nodeName}", this one is started as "${config.nodeName}"; ` +
          'a name is for ever: use that name, or another --data-dir',
        2,
      );
    }
    if (identity.clusterId === '' && !mayBegin(config)) throw nothingToDo(config.dataDir);
  }
}

/** Makes the membership durable: from here on this disk belongs to the cluster, and waits for what its leader sends. */
export async function joinCluster(stable: StableStore, { clusterId, partitions }: Adoption): Promise<void> {
  if (!stable.groups().includes(FIRST_GROUP)) await stable.createGroup(FIRST_GROUP);
  // A bootstrap that a crash cut short has left a first configuration with this node as the only voter: in the cluster
  // that it joins instead it would elect itself.
  if (stable.snapshot(FIRST_GROUP)) {
    await stable.saveSnapshot(FIRST_GROUP, { index: 0, term: 0, file: '', configuration: EMPTY_CONFIGURATION });
  }
  await stable.joinCluster(clusterId, partitions);
}

/** Whether a node without a cluster was told how to come by one. */
function mayBegin(config: NodeConfig): boolean {
  return config.bootstrap || config.startJoinAddrs.length > 0;
}

async function isEmpty(dataDir: string, files: FileSystem): Promise<boolean> {
  try {
    return (await files.list(dataDir)).length === 0;
  } catch (error) {
    if (isMissing(error)) return true;
    throw new StartupError(`--data-dir ${dataDir} cannot be used: ${error instanceof Error ? error.message : ''}`, 1);
  }
}

function nothingToDo(dataDir: string): StartupError {
  return new StartupError(
    `${dataDir} is empty and there is nothing to do: say --bootstrap to begin a new cluster, ` +
      'or --start-join-addrs HOST:PORT with the gossip address of a node to join one',
    2,
  );
}

function locked(dataDir: string): DataDirLock {
  try {
    return DataDirLock.acquire(dataDir);
  } catch (error) {
    if (error instanceof DataDirInUseError) throw new StartupError(error.message, 1);
    if (types.isNativeError(error) && 'syscall' in error) {
      throw new StartupError(`--data-dir ${dataDir} cannot be used: ${error.message}`, 1);
    }
    throw error;
  }
}
