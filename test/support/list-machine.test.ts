import { encodeValues } from '../../src/log/chunk';
import { ListMachine } from './list-machine';
import { describeStateMachine } from './state-machine-contract';

const values = (...texts: string[]): { count: number; payload: Buffer } => ({
  count: texts.length,
  payload: encodeValues(
    0,
    texts.map((text) => Buffer.from(text)),
  ),
});

describeStateMachine('ListMachine', {
  make: () => new ListMachine(),
  meaningful: [values('a'), values('b', 'c'), values('d'), values('e', 'f', 'g')],
});
