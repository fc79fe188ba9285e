import { type ServiceError } from '@grpc/grpc-js';
import { clientDefinition } from '../proto/load';
import { type BatchAnswer, decodeBatchAnswer } from './batch-codec';
import { type BytesDuplex, type ServerConnection } from './environment';
import { ClientReason, fromServiceError, LedgerError } from './errors';

const PATH = clientDefinition('ledger.v1.Ledger').SubmitBatches.path;

export interface BatchStreamEvents {
  answered(answer: BatchAnswer): void;
  /** No further answer will come; not called after `cancel`. Called once, never from within the constructor. */
  ended(stream: BatchStream, error: LedgerError): void;
}

/** One SubmitBatches call: encoded batches out, decoded answers in. */
export class BatchStream {
  private readonly stream: BytesDuplex;
  private over = false;

  /** Throws a LedgerError where the connection is closed. */
  constructor(
    readonly connection: ServerConnection,
    private readonly events: BatchStreamEvents,
  ) {
    this.stream = connection.openDuplex(PATH);
    this.stream.on('data', (bytes: Buffer) => this.take(bytes));
    this.stream.on('error', (error: ServiceError) => this.end(fromServiceError(error, connection.address)));
    this.stream.on('end', () => this.end(this.lost('The server ended the stream.')));
  }

  /** What is sent is bounded by the sender: batches in flight have a limit. */
  send(batch: Buffer): void {
    if (!this.over) this.stream.write(batch);
  }

  /** Nothing more will be sent; what was sent is still answered. */
  finish(): void {
    if (!this.over) this.stream.end();
  }

  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.stream.cancel();
  }

  private take(bytes: Buffer): void {
    if (this.over) return;
    let answer: BatchAnswer;
    try {
      answer = decodeBatchAnswer(bytes);
    } catch (error) {
      this.stream.cancel();
      this.end(new LedgerError('INTERNAL', 'MALFORMED_ANSWER', (error as Error).message, { cause: error }));
      return;
    }
    this.events.answered(answer);
  }

  private end(error: LedgerError): void {
    if (this.over) return;
    this.over = true;
    this.events.ended(this, error);
  }

  private lost(message: string): LedgerError {
    const { address } = this.connection;
    return new LedgerError('UNAVAILABLE', ClientReason.CONNECTION_LOST, `${address}: ${message}`, { address });
  }
}
