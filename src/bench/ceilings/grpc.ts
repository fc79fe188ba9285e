/** What gRPC does between two processes without any of this program in the way: the ceiling for calls and for bulk bytes. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { runClosedLoop, type LoadResult } from '../load/closed-loop';
import { ECHO } from './echo-methods';

const IN_FLIGHT = 256;
const CALL_BYTES = 128;
/** As a full batch of packed rows. */
const MESSAGE_BYTES = 8190 * 64;
const MESSAGES_IN_FLIGHT = 8;

export interface GrpcCeiling {
  /** Unary calls of 128 bytes, 256 in flight. */
  readonly callsPerSecond: number;
  readonly calls: LoadResult;
  /** One stream of messages as large as a batch of 8,190 rows, 8 in flight. */
  readonly megabytesPerSecond: number;
}

export async function measureGrpc(seconds: number, signal: AbortSignal): Promise<GrpcCeiling> {
  const server = fork(join(__dirname, 'echo-server.js'));
  try {
    const client = new Client(`127.0.0.1:${await portOf(server)}`, credentials.createInsecure(), {
      ...{ 'grpc.enable_http_proxy': 0, 'grpc.enable_channelz': 0, 'grpc.enable_retries': 0 },
    });
    try {
      const request = Buffer.alloc(CALL_BYTES, 1);
      const call = (): Promise<number> => unary(client, request);
      await runClosedLoop({ inFlight: IN_FLIGHT, seconds: seconds / 5, signal, call });
      const calls = await runClosedLoop({ inFlight: IN_FLIGHT, seconds, signal, call });
      const megabytesPerSecond = await streamedBytes(client, seconds, signal);
      return { callsPerSecond: calls.perSecond, calls, megabytesPerSecond };
    } finally {
      client.close();
    }
  } finally {
    server.kill('SIGKILL');
  }
}

function portOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('message', (port) => resolve(Number(port)));
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`The echo server ended with status ${code} before it listened.`)));
  });
}

function unary(client: Client, request: Buffer): Promise<number> {
  const { path, requestSerialize, responseDeserialize } = ECHO.unary;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), {}, (error) => {
      if (error) reject(error);
      else resolve(1);
    });
  });
}

async function streamedBytes(client: Client, seconds: number, signal: AbortSignal): Promise<number> {
  const { path, requestSerialize, responseDeserialize } = ECHO.stream;
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const waiting: (() => void)[] = [];
  stream.on('data', () => waiting.shift()?.());
  const broken = new Promise<never>((_, reject) => stream.once('error', reject));
  const message = Buffer.alloc(MESSAGE_BYTES, 1);
  const call = async (): Promise<number> => {
    const answered = new Promise<void>((resolve) => waiting.push(resolve));
    stream.write(message);
    await Promise.race([answered, broken]);
    return MESSAGE_BYTES;
  };
  try {
    const result = await runClosedLoop({ inFlight: MESSAGES_IN_FLIGHT, seconds, signal, call });
    return result.perSecond / 1e6;
  } finally {
    broken.catch(() => undefined);
    stream.cancel();
  }
}
