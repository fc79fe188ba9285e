import { createSocket } from 'node:dgram';

interface SwimMember {
  host: string;
  state: number;
}

interface SwimNode {
  bootstrap(hosts: string[], done: (error: Error | null) => void): void;
  members(): SwimMember[];
  checksum(): string;
  leave(): void;
}

type SwimConstructor = new (options: {
  local: { host: string };
  codec: string;
  disseminationFactor?: number;
}) => SwimNode;

// The package has no types of its own.
const Swim = jest.requireActual<SwimConstructor>('swim');

function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

async function join(hosts: string[]): Promise<SwimNode> {
  const host = `127.0.0.1:${await freeUdpPort()}`;
  const node = new Swim({ local: { host }, codec: 'json' });
  await new Promise<void>((resolve, reject) => {
    node.bootstrap(hosts, (error) => (error ? reject(error) : resolve()));
  });
  return Object.assign(node, { host });
}

test('swim runs on the stand-ins: two nodes find each other and agree on the checksum of their members', async () => {
  const first = (await join([])) as SwimNode & { host: string };
  const second = await join([first.host]);
  try {
    expect(second.members().map(({ host }) => host)).toEqual([first.host]);
    expect(second.checksum()).toMatch(/^\d+$/);
    expect(second.checksum()).toBe(first.checksum());
  } finally {
    first.leave();
    second.leave();
  }
});
