import { Lifecycle } from '../../src/node/lifecycle';
import { recordedEvents } from './recorded-events';

describe('Lifecycle', () => {
  test('stops in the reverse order, one after the other', async () => {
    const order: string[] = [];
    const lifecycle = new Lifecycle(recordedEvents());
    for (const name of ['disk', 'log', 'doors']) {
      lifecycle.started(name, async () => {
        order.push(`${name} stops`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} stopped`);
      });
    }
    await lifecycle.stop();
    expect(order).toEqual(['doors stops', 'doors stopped', 'log stops', 'log stopped', 'disk stops', 'disk stopped']);
  });

  test('a part that fails to stop is named, and the others are stopped all the same', async () => {
    const events = recordedEvents();
    const lifecycle = new Lifecycle(events);
    const stopped: string[] = [];
    lifecycle.started('disk', () => void stopped.push('disk'));
    lifecycle.started('log', () => {
      throw new Error('no');
    });
    lifecycle.started('doors', () => Promise.reject(new Error('neither')));
    await lifecycle.stop();
    expect(stopped).toEqual(['disk']);
    expect(events.of('error').map((event) => event.fields['part'])).toEqual(['doors', 'log']);
    expect(events.errors()).toEqual(['neither', 'no']);
  });

  test('is stopped once, however often it is asked to', async () => {
    const lifecycle = new Lifecycle(recordedEvents());
    const stop = jest.fn();
    lifecycle.started('disk', stop);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    await lifecycle.stop();
    expect(stop).toHaveBeenCalledTimes(1);
  });

  test('what starts during the stop is stopped as well', async () => {
    const lifecycle = new Lifecycle(recordedEvents());
    const late = jest.fn();
    lifecycle.started('disk', () => lifecycle.started('late', late));
    await lifecycle.stop();
    expect(late).toHaveBeenCalledTimes(1);
  });

  test('what starts after the stop is stopped at once, and whoever starts it is told', async () => {
    const events = recordedEvents();
    const lifecycle = new Lifecycle(events);
    await lifecycle.stop();
    const late = jest.fn();
    expect(() => lifecycle.started('late', late)).toThrow('"late" was started while the node was stopping');
    await lifecycle.stop();
    expect(late).toHaveBeenCalledTimes(1);
  });
});
