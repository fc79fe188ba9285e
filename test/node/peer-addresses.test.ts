import { PeerAddresses } from '../../src/node/peer-addresses';
import { CLUSTER, configurationOf, gossiped, idOf, nameOf, rpcOf } from './members';

class Links {
  readonly open = new Map<string, string>();
  readonly told: string[] = [];

  setAddress(id: string, address: string): void {
    this.told.push(id);
    this.open.set(id, address);
  }

  removePeer(id: string): void {
    this.open.delete(id);
  }

  now(): Record<string, string> {
    return Object.fromEntries([...this.open].sort());
  }
}

describe('PeerAddresses', () => {
  let links: Links;
  let addresses: PeerAddresses;
  beforeEach(() => {
    links = new Links();
    addresses = new PeerAddresses(idOf(1), links);
  });
  const { servers } = configurationOf([1, 2, 3]);
  const server = (number: number, rpcAddr = rpcOf(number)) => ({ id: idOf(number), name: nameOf(number), rpcAddr });

  test('before anybody gossips the log says where the members are; a node is no peer of its own', () => {
    for (const one of servers) addresses.named(one);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(2), [idOf(3)]: rpcOf(3) });
    addresses.named(server(2, '127.0.0.1:7'));
    expect(links.open.get(idOf(2))).toBe(rpcOf(2));
  });

  test('what a member says itself is newer, and what it said last newest', () => {
    const moved = gossiped(2, { incarnation: 2, gossipAddr: '127.0.0.1:5', tags: { rpcAddr: '127.0.0.1:7' } });
    addresses.follow(servers, [gossiped(1), gossiped(2), moved, gossiped(3, { state: 'failed' })], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: '127.0.0.1:7', [idOf(3)]: rpcOf(3) });
    addresses.named(server(2));
    expect(links.open.get(idOf(2))).toBe('127.0.0.1:7');
  });

  test('a newcomer finds the members before its log names them', () => {
    addresses.follow([], [gossiped(1), gossiped(2), gossiped(3, { tags: { clusterId: '' } })], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(2) });
    addresses.follow([], [gossiped(2)], 'd'.repeat(32));
    expect(links.now()).toEqual({});
  });

  test('a replaced disk is forgotten, also where the new one answers at its address', () => {
    addresses.follow(servers, [gossiped(1), gossiped(2), gossiped(3)], CLUSTER);
    const wiped = gossiped(9, { tags: { name: nameOf(3), rpcAddr: rpcOf(3) } });
    addresses.set(idOf(9), rpcOf(3));
    addresses.follow(servers, [gossiped(1), gossiped(2), wiped], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(2), [idOf(9)]: rpcOf(3) });
    addresses.follow([...servers.slice(0, 2), server(9, rpcOf(3))], [gossiped(2), wiped], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(2), [idOf(9)]: rpcOf(3) });
  });

  test('a member that comes back is taken up again', () => {
    addresses.follow(servers, [gossiped(2, { tags: { rpcAddr: rpcOf(3) } })], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(3) });
    addresses.follow(servers, [gossiped(2), gossiped(3)], CLUSTER);
    expect(links.now()).toEqual({ [idOf(2)]: rpcOf(2), [idOf(3)]: rpcOf(3) });
  });

  test('where nothing is new the transport hears nothing', () => {
    for (let round = 0; round < 3; round += 1) addresses.follow(servers, [gossiped(2), gossiped(3)], CLUSTER);
    expect(links.told).toEqual([idOf(2), idOf(3)]);
  });
});
