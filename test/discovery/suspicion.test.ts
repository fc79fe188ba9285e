import { Suspicions } from '../../src/discovery/suspicion';

test('the time runs from the first suspicion of an incarnation, however often it is suspected again', () => {
  const suspicions = new Suspicions(100);
  suspicions.observe('a', 'suspect', 1, 0);
  suspicions.observe('a', 'suspect', 1, 90);
  expect(suspicions.due(99)).toEqual([]);
  expect(suspicions.due(100)).toEqual([{ host: 'a', incarnation: 1 }]);
  expect(suspicions.due(1_000)).toEqual([]);
});

test('an objection ends it, a new suspicion starts it anew', () => {
  const suspicions = new Suspicions(100);
  suspicions.observe('a', 'suspect', 1, 0);
  suspicions.observe('a', 'alive', 2, 50);
  expect(suspicions.due(100)).toEqual([]);
  suspicions.observe('a', 'suspect', 2, 100);
  suspicions.observe('a', 'suspect', 3, 150);
  expect(suspicions.due(249)).toEqual([]);
  expect(suspicions.due(250)).toEqual([{ host: 'a', incarnation: 3 }]);
});

test('time in which this process stood still is given back; who is forgotten is not due', () => {
  const suspicions = new Suspicions(100);
  suspicions.observe('a', 'suspect', 1, 0);
  suspicions.observe('b', 'suspect', 1, 0);
  suspicions.postpone(5_000);
  suspicions.forget('b');
  expect(suspicions.due(5_099)).toEqual([]);
  expect(suspicions.due(5_100)).toEqual([{ host: 'a', incarnation: 1 }]);
});
