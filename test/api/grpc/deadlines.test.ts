import { status, type Client } from '@grpc/grpc-js';
import { budgetOf, stepBudget, within } from '../../../src/api/deadline';
import { type SubmitRequest } from '../../../src/api/node-port';
import { clientDefinition } from '../../../src/proto/load';
import { call, failureOf, GrpcDoor } from '../../support/doors';
import { SingleNodePort } from '../../support/single-node-port';

const { Produce, Consume } = clientDefinition('log.v1.Log');
const VALUE = { record: { value: Buffer.from('x') } };

describe('the time that a call may take', () => {
  test('is 80 % of the caller’s for the node, and 90 % for the door', () => {
    expect(budgetOf(1000, 5000)).toEqual({ workMs: 800, patienceMs: 900 });
    expect(budgetOf(60_000, 5000).workMs).toBe(48_000);
  });

  test('is the default where the caller named none', () => {
    expect(budgetOf(Infinity, 5000)).toEqual({ workMs: 5000, patienceMs: 5625 });
  });

  test('is never nothing, and for one step of a stream no more than the default', () => {
    expect(budgetOf(-5, 5000).workMs).toBe(1);
    expect(stepBudget(Infinity, 5000).workMs).toBe(5000);
    expect(stepBudget(60_000, 5000).workMs).toBe(5000);
    expect(stepBudget(100, 5000).workMs).toBe(80);
  });

  test('ends in what may still have happened', async () => {
    const never = new Promise<void>(() => undefined);
    await expect(within(never, 1, 'write')).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'OUTCOME_UNKNOWN' });
    await expect(within(never, 1, 'read')).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'NO_ANSWER' });
  });
});

describe('a node that does not answer', () => {
  let port: SingleNodePort;
  let door: GrpcDoor;
  let log: Client;

  beforeEach(async () => {
    port = new SingleNodePort();
    door = await new GrpcDoor(port).listen();
    log = door.client('log.v1.Log');
  });

  afterEach(() => door.close());

  test('does not keep a caller waiting until its own deadline', async () => {
    port.beforeCommit = () => new Promise<void>(() => undefined);
    const failure = await failureOf(call(log, Produce, VALUE, { deadlineMs: 500 }));
    expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'OUTCOME_UNKNOWN', retryAfterMs: undefined });
  });

  test('does not keep a reader waiting either', async () => {
    port.readRecords = () => new Promise<never>(() => undefined);
    const failure = await failureOf(call(log, Consume, { offset: 0 }, { deadlineMs: 500 }));
    expect(failure).toMatchObject({ code: status.UNAVAILABLE, reason: 'NO_ANSWER' });
  });

  test('is told four fifths of what the caller gives', async () => {
    const given: number[] = [];
    const submit = port.submit.bind(port);
    port.submit = (request: SubmitRequest, deadlineMs: number) => {
      given.push(deadlineMs);
      return submit(request, deadlineMs);
    };
    await call(log, Produce, VALUE, { deadlineMs: 10_000 });
    expect(given[0]).toBeLessThanOrEqual(8000);
    expect(given[0]).toBeGreaterThan(4000);
  });

  test('or fails in a way nobody foresaw, is an internal error that is reported', async () => {
    const fault = new TypeError('a bug');
    port.beforeCommit = () => {
      throw fault;
    };
    const failure = await failureOf(call(log, Produce, VALUE));
    expect(failure).toMatchObject({ code: status.INTERNAL, reason: 'INTERNAL' });
    expect(failure.message).not.toContain('a bug');
    expect(door.unforeseen.errors).toEqual([{ error: fault, where: 'Produce' }]);
  });
});
