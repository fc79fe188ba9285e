import { createServer } from 'node:net';
import { once } from 'node:events';
import { freePorts } from '../../src/bench/free-ports';

describe('freePorts', () => {
  test('gives different ports that can be listened on', async () => {
    const ports = await freePorts(6);
    expect(new Set(ports).size).toBe(6);
    for (const port of ports) {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  });

  test('refuses numbers that make no sense', async () => {
    await expect(freePorts(-1)).rejects.toThrow(RangeError);
    await expect(freePorts(65)).rejects.toThrow('Between 0 and 64');
  });
});
