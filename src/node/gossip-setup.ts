import type { Gossip } from '../discovery/gossip';
import { Keyring, KeyringError } from '../discovery/keyring';
import type { Tags } from '../discovery/member';
import type { NodeConfig } from './config/node-config';
import { OptionError } from './config/units';
import { StartupError } from './startup-error';

/** How long a bootstrap that was also given addresses looks for a cluster there. */
const PROBE_MILLIS = 3_000;
const PROBE_STEP_MILLIS = 50;

export interface TagSource {
  readonly clusterId: string;
  readonly nodeId: string;
  readonly partitions: number;
}

/** @param rulesVersion the highest version of the rules that this program knows: here for people to see, asked over RPC before it counts */
export function gossipTags(config: NodeConfig, source: TagSource, rpcAddr: string, rulesVersion: number): Tags {
  return {
    clusterId: source.clusterId,
    nodeId: source.nodeId,
    name: config.nodeName,
    rpcAddr,
    role: source.clusterId === '' ? 'joining' : 'member',
    nonVoter: config.nonVoter,
    formatVersion: rulesVersion,
    partitions: source.partitions,
  };
}

export async function loadKeyring(config: NodeConfig): Promise<Keyring | undefined> {
  if (config.encryptKeyFile === undefined) return undefined;
  try {
    return await Keyring.fromFile(config.encryptKeyFile);
  } catch (error) {
    if (error instanceof KeyringError) throw new OptionError(`--encrypt-key-file: ${error.message}`);
    throw error;
  }
}

/** Before a bootstrap that was given addresses as well: throws StartupError where one of them has a cluster already. */
export async function probeForCluster(gossip: Gossip): Promise<void> {
  const until = performance.now() + PROBE_MILLIS;
  while (performance.now() < until) {
    const found = gossip.members().find((member) => member.tags.clusterId !== '');
    if (found) {
      throw new StartupError(
        `--bootstrap refused: "${found.tags.name}" at ${found.gossipAddr} belongs to cluster ${found.tags.clusterId} already. ` +
          'Join it without --bootstrap, or bootstrap without --start-join-addrs',
        2,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PROBE_STEP_MILLIS));
  }
}
