import type { Configuration, NodeId, RemovedServer, Server } from './types';

/** More members than this are refused: each costs the leader a copy of every entry. */
export const MAX_MEMBERS = 64;

/** The oldest of more removed servers are forgotten. */
export const MAX_REMOVED = 64;

const NODE_ID = /^[0-9a-f]{16}$/;
/** Names and addresses are short; this bounds what a damaged or foreign payload can make us keep. */
const MAX_TEXT = 1024;

export const EMPTY_CONFIGURATION: Configuration = Object.freeze({
  voters: [],
  votersOutgoing: [],
  learners: [],
  servers: [],
});

/** Bytes that are no configuration, with what is wrong about them. */
export class ConfigurationFormatError extends Error {
  override readonly name = 'ConfigurationFormatError';
}

export function isNodeId(value: unknown): value is NodeId {
  return typeof value === 'string' && NODE_ID.test(value);
}

/** A voter of either half of a joint configuration. */
export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
}

export function isMember(configuration: Configuration, id: NodeId): boolean {
  return isVoter(configuration, id) || configuration.learners.includes(id);
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Everyone who gets the log, each once. */
export function memberIds(configuration: Configuration): NodeId[] {
  return [...new Set([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners])];
}

/** Canonical JSON, UTF-8: sorted lists and a fixed order of keys, so that one configuration has one encoding. */
export function encodeConfiguration(configuration: Configuration): Buffer {
  const canonical = canonicalConfiguration(configuration);
  return Buffer.from(
    JSON.stringify({
      voters: canonical.voters,
      votersOutgoing: canonical.votersOutgoing,
      learners: canonical.learners,
      servers: canonical.servers.map(({ id, name, rpcAddr }) => ({ id, name, rpcAddr })),
      ...withRemoved(canonical.removed?.map(({ id, name }) => ({ id, name }))),
    }),
  );
}

/** Throws ConfigurationFormatError for bytes that no encodeConfiguration has made. */
export function decodeConfiguration(bytes: Buffer): Configuration {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ConfigurationFormatError('The configuration is not JSON.', { cause: error });
  }
  if (!isRecord(parsed)) throw new ConfigurationFormatError('The configuration is not a JSON object.');
  const configuration = canonicalConfiguration({
    voters: idList(parsed, 'voters'),
    votersOutgoing: idList(parsed, 'votersOutgoing'),
    learners: idList(parsed, 'learners'),
    servers: serverList(parsed['servers']),
    ...withRemoved(removedList(parsed['removed'])),
  });
  const fault = configurationFault(configuration);
  if (fault !== undefined) throw new ConfigurationFormatError(fault);
  return configuration;
}

/** With every list sorted but that of the removed, whose order is that of their removal. Ids are ASCII, so the order is the same in every locale. */
export function canonicalConfiguration(configuration: Configuration): Configuration {
  return {
    voters: [...configuration.voters].sort(),
    votersOutgoing: [...configuration.votersOutgoing].sort(),
    learners: [...configuration.learners].sort(),
    servers: [...configuration.servers].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)),
    ...withRemoved(configuration.removed),
  };
}

/** A list without anybody is left out, so that a configuration that has had none is encoded as ever. */
export function withRemoved(removed: readonly RemovedServer[] | undefined): Pick<Configuration, 'removed'> {
  return removed === undefined || removed.length === 0 ? {} : { removed };
}

/** What keeps this from being a configuration, in a sentence; undefined when nothing does. */
export function configurationFault(configuration: Configuration): string | undefined {
  const { voters, votersOutgoing, learners, servers } = configuration;
  for (const [list, name] of [
    [voters, 'voters'],
    [votersOutgoing, 'votersOutgoing'],
    [learners, 'learners'],
    [servers.map((server) => server.id), 'servers'],
    [(configuration.removed ?? []).map((server) => server.id), 'removed'],
  ] as const) {
    const strange = list.find((id) => !isNodeId(id));
    if (strange !== undefined) return `The id "${strange}" in ${name} is not 16 lower-case hex digits.`;
    if (new Set(list).size !== list.length) return `The list ${name} of the configuration names a server twice.`;
  }
  if (voters.length === 0 && (votersOutgoing.length > 0 || learners.length > 0)) {
    return 'The configuration has members but no voter, so that nothing could ever be committed.';
  }
  const voting = new Set([...voters, ...votersOutgoing]);
  const both = learners.find((id) => voting.has(id));
  if (both !== undefined) return `Server ${both} is a voter and a learner at once.`;
  const named = new Set(servers.map((server) => server.id));
  const members = memberIds(configuration);
  const nameless = members.find((id) => !named.has(id));
  if (nameless !== undefined) return `Server ${nameless} is a member but has no name and address.`;
  if (named.size !== members.length) return 'The configuration names a server that is no member.';
  const back = configuration.removed?.find(({ id }) => named.has(id));
  if (back) return `Server ${back.id} is a member and removed at once.`;
  if ((configuration.removed?.length ?? 0) > MAX_REMOVED) {
    return `The configuration remembers ${configuration.removed?.length} removed servers; at most ${MAX_REMOVED} may be.`;
  }
  if (members.length > MAX_MEMBERS)
    return `The configuration has ${members.length} members; at most ${MAX_MEMBERS} may be.`;
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idList(parsed: Record<string, unknown>, name: string): NodeId[] {
  const list = parsed[name];
  if (!Array.isArray(list)) throw new ConfigurationFormatError(`The configuration has no list "${name}".`);
  return list.map((id: unknown) => {
    if (!isNodeId(id)) throw new ConfigurationFormatError(`The list "${name}" holds something that is no node id.`);
    return id;
  });
}

function serverList(list: unknown): Server[] {
  if (!Array.isArray(list)) throw new ConfigurationFormatError('The configuration has no list "servers".');
  return list.map((server: unknown) => {
    if (!isRecord(server)) throw new ConfigurationFormatError('A server in the configuration is not a JSON object.');
    const { id, name, rpcAddr } = server;
    if (!isNodeId(id)) throw new ConfigurationFormatError('A server in the configuration has no node id.');
    if (!isText(name) || !isText(rpcAddr)) {
      throw new ConfigurationFormatError(`Server ${id} has no name and address of at most ${MAX_TEXT} characters.`);
    }
    return { id, name, rpcAddr };
  });
}

function removedList(list: unknown): RemovedServer[] {
  if (list === undefined) return [];
  if (!Array.isArray(list)) throw new ConfigurationFormatError('The list "removed" of the configuration is no list.');
  return list.map((server: unknown) => {
    if (!isRecord(server) || !isNodeId(server['id']) || !isText(server['name'])) {
      throw new ConfigurationFormatError('A removed server in the configuration has no node id and name.');
    }
    return { id: server['id'], name: server['name'] };
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}
