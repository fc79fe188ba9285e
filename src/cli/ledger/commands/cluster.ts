/** members, status, leader transfer, member add and remove, snapshot. */
import { type Command } from 'commander';
import { type ServerStatus } from '../../../client';
import { type Cell } from '../output';
import { type Session } from '../session';

export function addClusterCommands(program: Command, session: () => Session): void {
  program
    .command('members')
    .description('who belongs to the cluster')
    .action(() => members(session()));
  program
    .command('status')
    .description('what every node says of itself')
    .option('--state-hash', 'the hash of the state too, which reads all of it', false)
    .action((options: { stateHash: boolean }) => status(session(), options.stateHash));
  program
    .command('leader')
    .description('who leads')
    .command('transfer')
    .description('hand leadership over')
    .argument('[node]', 'name of the voter that shall lead (default: the best)')
    .action((node?: string) => transferLeadership(session(), node ?? ''));
  const member = program.command('member').description('who belongs to the cluster, by an operator’s word');
  member
    .command('add')
    .description('let a node that was removed come back, or make a learner a voter')
    .argument('<node>', 'its name')
    .action((node: string) => changeMember(session(), 'added', node));
  member
    .command('remove')
    .description('remove a member for good; its process ends')
    .argument('<node>', 'its name')
    .action((node: string) => changeMember(session(), 'removed', node));
  program
    .command('snapshot')
    .description('make one node take a snapshot of its state now')
    .argument('[node]', 'its name or address (default: the first of --addr)')
    .action((node?: string) => snapshot(session(), node ?? ''));
}

async function changeMember(session: Session, done: 'added' | 'removed', node: string): Promise<void> {
  await session.withClient((client) => (done === 'added' ? client.addMember(node) : client.removeMember(node)));
  session.output.record({ [done]: node }, [[done, node]]);
}

async function snapshot(session: Session, node: string): Promise<void> {
  const index = await session.withClient((client) => client.takeSnapshot(node));
  session.output.record({ index }, [['snapshot at entry', index]]);
}

async function members(session: Session): Promise<void> {
  const list = await session.withClient((client) => client.members());
  session.output.list(
    { members: list },
    ['node', 'leads', 'suffrage', 'liveness', 'rpc', 'gossip', 'id'],
    list.map((member) => [
      ...[member.name, member.isLeader ? 'yes' : '', member.suffrage, member.liveness],
      ...[member.rpcAddress, member.gossipAddress, member.nodeId],
    ]),
  );
}

async function status(session: Session, stateHash: boolean): Promise<void> {
  const servers = await session.withClient((client) => client.status({ stateHash }));
  const json = servers.map((server) =>
    server.status
      ? { address: server.address, ...server.status }
      : { address: server.address, error: { reason: server.error.reason, message: server.error.message } },
  );
  const head = [
    'node',
    'address',
    'role',
    'term',
    'leader',
    'commit',
    'applied',
    'log from',
    'snapshot',
    'next offset',
    'rules',
  ];
  const last = ['projection', 'disk free', ...(stateHash ? ['state hash'] : [])];
  session.output.list(
    { servers: json },
    [...head, ...last],
    servers.flatMap((server) => rows(server, stateHash)),
  );
}

function rows(server: ServerStatus, stateHash: boolean): Cell[][] {
  if (!server.status) return [['-', server.address, server.error.reason.toLowerCase()]];
  const { nodeName, groups, projection, projectionLagRecords, diskFull, diskFreeBytes } = server.status;
  return groups.map((group) => [
    ...[nodeName, server.address, group.role, group.term, group.leader, group.commitIndex, group.appliedIndex],
    ...[group.firstIndex, group.snapshotIndex, group.nextOffset],
    `${group.rulesVersion} of ${group.rulesKnown}`,
    projectionLagRecords > 0 ? `${projection}, ${projectionLagRecords} behind` : projection,
    diskFull ? `FULL, ${mebibytes(diskFreeBytes)}` : mebibytes(diskFreeBytes),
    ...(stateHash ? [group.stateHash] : []),
  ]);
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / (1 << 20))} MiB`;
}

async function transferLeadership(session: Session, node: string): Promise<void> {
  const leader = await session.withClient((client) => client.transferLeadership(node));
  session.output.record({ leader }, [['leader', leader]]);
}
