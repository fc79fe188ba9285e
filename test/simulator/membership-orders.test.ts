import type { ConfigurationChange, Server } from '../../src/raft/core';
import { SeededRandom } from '../support/seeded-random';
import { MembershipOrders } from './membership-orders';
import type { Running, SimNode } from './sim-node';
import { Simulation } from './simulation';

const MACHINES = 5;
const SECOND = 1_000_000;

/** Machines of which the first leads, and does what it is asked for at once. */
function cluster() {
  const sim = new Simulation({ seed: 1, nodes: MACHINES, seconds: 1 });
  const nodes = sim.nodes.slice(0, MACHINES);
  const members: Server[] = nodes.map(({ name, rpcAddr }) => ({ id: name, name, rpcAddr }));
  for (const node of nodes) node.duty = 'serving';
  const replica = {
    isLeader: true,
    status: () => ({ configuration: { servers: members } }),
    changeConfiguration: (change: ConfigurationChange) => {
      if (change.type !== 'remove') throw new Error(`${change.type} was not expected.`);
      members.splice(
        members.findIndex(({ id }) => id === change.id),
        1,
      );
    },
  };
  const leader = nodes[0] as SimNode;
  leader.running = { replica } as unknown as Running;
  const { time, trace, counts, network, requests, damage, settings } = sim;
  const isMember = ({ name }: SimNode): boolean => members.some((member) => member.name === name);
  const targets = { time, trace, counts, network, requests, damage, settings, nodes, isMember };
  const orders = new MembershipOrders(targets, new SeededRandom(3));
  const until = async (done: () => boolean): Promise<void> => {
    const deadline = time.now + 10 * SECOND;
    while (!done() && time.now < deadline && (await time.step()));
    expect(done()).toBe(true);
  };
  const removeOne = async (): Promise<{ node: SimNode; server: Server }> => {
    orders.remove();
    const node = nodes.find(({ duty }) => duty !== 'serving') as SimNode;
    const server = { id: node.name, name: node.name, rpcAddr: node.rpcAddr };
    await until(() => node.duty === 'removed');
    return { node, server };
  };
  return { time, members, isMember, until, removeOne };
}

describe('whoever orders that a machine is removed', () => {
  test('does not empty it while a leader that had not heard of its farewell has taken it in again', async () => {
    const before = cluster();
    const undisturbed = await before.removeOne();
    let events = 0;
    for (; undisturbed.node.duty !== 'spare'; events += 1) await before.time.step();
    // The same, up to the very event at which it is emptied.
    const { members, isMember, until, removeOne, time } = cluster();
    const { node, server } = await removeOne();
    for (let event = 1; event < events; event += 1) await time.step();
    members.push(server);
    await time.step();
    expect(node.duty).toBe('removed');
    await until(() => node.duty === 'spare');
    expect(isMember(node)).toBe(false);
  });

  test('removes what is left of it where a leader takes it in with an answer that it gave before it was emptied', async () => {
    const { members, isMember, until, removeOne } = cluster();
    const { node, server } = await removeOne();
    await until(() => node.duty === 'spare');
    members.push(server);
    await until(() => !isMember(node) && node.duty === 'spare');
  });
});
