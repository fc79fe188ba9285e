import { FullDisk } from '../../src/node/full-disk';
import { PEER_CALLS, decodeJson, encodeJson } from '../../src/node/peer-calls';
import type { CoreStatus, NodeId } from '../../src/raft/core';
import { CallError } from '../../src/raft/transport';
import { configurationOf, idOf, leaderStatus } from './members';
import { recordedEvents } from './recorded-events';

class World {
  full = true;
  isLeader = true;
  /** Nodes whose disk is full, too. */
  others = new Set<NodeId>();
  deaf = new Set<NodeId>();
  behind = new Map<NodeId, number>();
  readonly asked: NodeId[] = [];
  readonly handedTo: NodeId[] = [];
  onAsked: () => void = () => undefined;
  readonly events = recordedEvents();

  readonly disk = new FullDisk({
    space: this,
    replica: this,
    call: async (to, method) => {
      expect(method).toBe(PEER_CALLS.disk);
      this.asked.push(to);
      this.onAsked();
      if (this.deaf.has(to)) throw new CallError('UNAVAILABLE', 'METHOD_UNKNOWN', 'no such call', { sent: true });
      return encodeJson({ full: this.others.has(to) });
    },
    handOver: async (to) => void this.handedTo.push(to),
    nameOf: (id) => id,
    events: this.events,
  });

  /** Three voters and a learner; this is node 1. */
  status(): CoreStatus {
    const status = leaderStatus(configurationOf([1, 2, 3], [4]), [2, 3, 4]);
    return { ...status, peers: status.peers.map((peer) => ({ ...peer, match: this.behind.get(peer.id) ?? 10 })) };
  }
}

describe('a leader whose disk is full', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('hands over to the voter with most of the log that has room, never to a learner', async () => {
    world.behind.set(idOf(2), 5);
    world.behind.set(idOf(4), 11);
    await world.disk.step();
    expect({ asked: world.asked, handedTo: world.handedTo }).toEqual({ asked: [idOf(3)], handedTo: [idOf(3)] });
  });

  test('passes over those that are full as well, and those that do not say', async () => {
    world.others.add(idOf(2));
    await world.disk.step();
    expect(world.handedTo).toEqual([idOf(3)]);
    world.deaf.add(idOf(3));
    await world.disk.step();
    expect(world.handedTo).toEqual([idOf(3)]);
    expect(world.asked).toEqual([idOf(2), idOf(3), idOf(2), idOf(3)]);
  });

  test('keeps leading where it has room again, or leads no more, when the answer comes', async () => {
    world.onAsked = () => (world.full = false);
    await world.disk.step();
    world.full = true;
    world.onAsked = () => (world.isLeader = false);
    await world.disk.step();
    expect(world.handedTo).toEqual([]);
  });

  test('asks nobody while it has room or does not lead, and not twice at once', async () => {
    world.full = false;
    await world.disk.step();
    Object.assign(world, { full: true, isLeader: false });
    await world.disk.step();
    expect(world.asked).toEqual([]);
    world.isLeader = true;
    await Promise.all([world.disk.step(), world.disk.step()]);
    expect(world.handedTo).toHaveLength(1);
  });

  test('tells its peers', () => {
    expect(decodeJson(world.disk.serve())).toEqual({ full: true });
  });
});
