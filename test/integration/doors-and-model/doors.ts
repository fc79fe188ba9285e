import { type ClusterProcess } from '../../../src/bench/cluster-process';
import { u128FromBytes } from '../../../src/ledger/amounts';
import { resultName } from '../../../src/ledger/result-codes';
import { type CreateTransfersResponse, TransferKind, type TransferOut } from '../../../src/proto/ledger-v1';
import { type SubmitBatchRequestOut, type SubmitBatchResponse } from '../../../src/proto/ledger-v1';
import { clientDefinition } from '../../../src/proto/load';
import { ledger } from '../../cli/ledger/run-command';
import { expectEqual } from '../../ledger/long-history/agreement';
import { NodeDoors } from '../node-doors';
import { type Draw } from './draw';
import { type Said, type Unit } from './said';

const LEDGER = clientDefinition('ledger.v1.Ledger');
const PATIENCE = 60_000;

/** What a door answers of one transfer; undefined: it does not say. */
export interface Answer {
  readonly result: string;
  readonly replayed: boolean | undefined;
  readonly moved?: string | undefined;
  readonly held?: string | undefined;
  /** -1: it did not reach the log. */
  readonly offset?: number;
  readonly timestamp?: number;
}

export interface Row {
  readonly bytes: Buffer;
  /** Minor units. */
  readonly minor: bigint;
}

type Json = Readonly<Record<string, unknown>>;

/** The doors of every node, each taking units of transfers in its own words. */
export class Doors {
  readonly grpc: NodeDoors;

  constructor(
    readonly cluster: ClusterProcess,
    private readonly draw: Draw,
    /** 0: there is no such account. */
    private readonly handleOf: (name: string) => number,
  ) {
    this.grpc = new NodeDoors(cluster);
  }

  /** One message of CreateTransfers; now and then it is tried before, which has to come to the same. */
  async call(node: number, units: readonly Unit[]): Promise<Answer[]> {
    const request = { transfers: units.flatMap((unit) => this.messages(unit)) };
    const isTried = this.draw.below(3) === 0;
    const tried = isTried && (await this.grpc.at(node).unary(LEDGER.DryRun, request, PATIENCE)).transfers;
    const done = answersOf(await this.grpc.at(node).unary(LEDGER.CreateTransfers, request, PATIENCE));
    if (tried)
      expectEqual(answersOf({ results: tried }).map(decisionOf), done.map(decisionOf), 'the answers, tried and done');
    return done;
  }

  /** One batch of messages on the stream. */
  async batch(node: number, units: readonly Unit[]): Promise<Answer[]> {
    return answersOf(await this.submit(node, { sequence: 1, transfers: units.flatMap((unit) => this.messages(unit)) }));
  }

  async rows(node: number, rows: readonly Row[]): Promise<Answer[]> {
    const response = await this.submit(node, { sequence: 1, rows: Buffer.concat(rows.map(({ bytes }) => bytes)) });
    const first = Number(response.base_offset);
    const answers = rows.map((_, row): Answer => ({
      ...{ result: 'ok', replayed: false, offset: first + row, timestamp: Number(response.timestamp) },
    }));
    for (const { row, result, replayed, offset } of [...response.refused, ...response.repeats]) {
      answers[row] = { result: resultName(result), replayed, offset: Number(offset) };
    }
    for (const { row, amount } of response.amounts) {
      const isHeld = (rows[row]!.bytes.readUInt32LE(60) & 1) !== 0;
      answers[row] = { ...answers[row]!, [isHeld ? 'held' : 'moved']: String(u128FromBytes(amount)) };
    }
    return answers;
  }

  /** A unit by the path that HTTP has for it. */
  async http(node: number, unit: Unit): Promise<Answer[]> {
    if (unit.group === '') return [await this.payment(node, unit.transfers[0]!)];
    const transfers = unit.transfers.map((said) => this.body(said, said.refersTo));
    const body = { id: this.draw.spelled(unit.group), transfers };
    const { json, replayed, status } = await this.request(node, 'POST', '/api/v1/transactions', body);
    return (json['transfers'] as Json[]).map((one) => ({ ...answerOf(one, status), replayed }));
  }

  private async payment(node: number, said: Said): Promise<Answer> {
    const refers = said.refersTo !== '' && said.kind !== 'plain';
    const inPath = refers && this.draw.below(2) === 0;
    const path = inPath ? `/${encodeURIComponent(said.refersTo)}/${said.kind}` : '';
    const { kind, pending_id, reverses, timeout_ms, balancing, ...rest } = this.body(said, said.refersTo);
    const body = inPath ? rest : { kind, pending_id, reverses, timeout_ms, balancing, ...rest };
    const { json, replayed, status } = await this.request(node, 'POST', `/api/v1/transfers${path}`, body);
    return { ...answerOf(json, status), replayed };
  }

  /** What nothing is said of is left out, so that most are payments as the old service took them. */
  private body(said: Said, refersTo: string): Record<string, unknown> {
    const all = {
      request_id: this.draw.spelled(said.id),
      ...{ from: this.draw.named(said.from), to: this.draw.named(said.to), amount: this.draw.padded(said.amount) },
      ...{ ledger: said.ledger, kind: said.kind === 'reverse' ? '' : said.kind, balancing: said.balancing },
      [said.kind === 'reverse' ? 'reverses' : 'pending_id']: this.draw.spelled(refersTo),
      ...{ code: said.code, user_data: said.userData === 0n ? '' : String(said.userData) },
      ...{ metadata: Buffer.from(said.metadata).toString('base64'), timeout_ms: said.timeoutMs },
      ...{ effective_time: said.effectiveTime, imported_time: said.importedTime },
    };
    const isSaid = ([name, value]: [string, unknown]): boolean =>
      value !== '' && value !== 0 && value !== false && !(name === 'kind' && value === 'plain');
    return Object.fromEntries(Object.entries(all).filter(isSaid));
  }

  /** The command `ledger`, which brings its own client. */
  async command(node: number, unit: Unit): Promise<Answer[]> {
    const at = ['--addr', this.cluster.addresses[node]!, '--output', 'json'];
    if (unit.group !== '') {
      const stdin = unit.transfers.map((said) => JSON.stringify(this.body(said, said.refersTo))).join('\n');
      const { json } = await ledger([...at, 'transaction', '--id', this.draw.spelled(unit.group)], { stdin });
      return (json()[0]!['transfers'] as Json[]).map((one) => answerOf(one, 0));
    }
    const [said] = unit.transfers as [Said];
    const { json } = await ledger([...at, ...this.arguments(said)]);
    return [answerOf(json()[0]!, 0)];
  }

  private arguments(said: Said): string[] {
    const option = (name: string, value: string | number | bigint): string[] =>
      value === '' || value === 0 || value === 0n ? [] : [`--${name}`, String(value)];
    const options = [
      ...[...option('id', this.draw.spelled(said.id)), ...option('code', said.code)],
      ...[...option('user-data', said.userData), ...option('metadata', said.metadata)],
      ...[...option('effective-time', said.effectiveTime), ...option('imported-time', said.importedTime)],
    ];
    const amount = said.amount === '' ? [] : [this.draw.padded(said.amount)];
    if (said.refersTo !== '') return [said.kind, said.refersTo, ...amount, ...options];
    const parties = [this.draw.named(said.from), this.draw.named(said.to), ...amount];
    const more = [...option('ledger', said.ledger), ...(said.balancing ? ['--balancing'] : [])];
    if (said.kind === 'plain') return ['transfer', ...parties, ...options, ...more];
    return [
      'hold',
      ...parties,
      ...options,
      ...more,
      ...(said.timeoutMs === 0 ? [] : ['--expires-in', `${said.timeoutMs}ms`]),
    ];
  }

  async request(
    node: number,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; json: Json; replayed: boolean }> {
    const url = `http://${this.cluster.node(node).addresses.http}${path}`;
    const answer = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
    const replayed = answer.headers.get('idempotency-replayed') === 'true';
    return { status: answer.status, json: (await answer.json()) as Json, replayed };
  }

  close(): void {
    this.grpc.close();
  }

  private async submit(node: number, request: SubmitBatchRequestOut): Promise<SubmitBatchResponse> {
    const stream = this.grpc.at(node).openTypedDuplex(LEDGER.SubmitBatches);
    stream.write(request);
    stream.end();
    for await (const response of stream as AsyncIterable<SubmitBatchResponse>) {
      if (response.error) throw new Error(`The batch failed: ${response.error.reason}: ${response.error.message}`);
      return response;
    }
    throw new Error('The batch was not answered.');
  }

  /** The accounts that there are by their handles. */
  private handles({ from, to }: Said): TransferOut {
    const [debit, credit] = [this.handleOf(from), this.handleOf(to)];
    return {
      ...(debit > 0 && { debit_account: '', debit_handle: String(debit) }),
      ...(credit > 0 && { credit_account: '', credit_handle: String(credit) }),
    };
  }

  private messages({ group, transfers }: Unit): TransferOut[] {
    return transfers.map((said) => ({
      ...{ id: this.draw.spelled(said.id), group: this.draw.spelled(group), amount: this.draw.padded(said.amount) },
      ...{ debit_account: this.draw.named(said.from), credit_account: this.draw.named(said.to), ledger: said.ledger },
      // In other words a refused group would be another one, and one account under two names is seen by the ledger only.
      ...(group === '' && said.fault === undefined && this.draw.below(4) === 0 ? this.handles(said) : {}),
      kind: said.kind === 'reverse' ? TransferKind.PLAIN : KINDS[said.kind],
      [said.kind === 'reverse' ? 'reverses' : 'pending_id']: this.draw.spelled(said.refersTo),
      ...{ balancing: said.balancing, code: said.code, user_data: String(said.userData) },
      ...{ metadata: Buffer.from(said.metadata), timeout_ms: String(said.timeoutMs) },
      ...{ effective_time: String(said.effectiveTime), imported_time: String(said.importedTime) },
    }));
  }
}

/** What a dry run knows, too. */
function decisionOf({ result, replayed, moved, held }: Answer): Answer {
  return { result, replayed, moved, held };
}

const KINDS = {
  plain: TransferKind.PLAIN,
  pending: TransferKind.PENDING,
  post: TransferKind.POST,
  void: TransferKind.VOID,
} as const;

function answersOf({ results }: Pick<CreateTransfersResponse, 'results'>): Answer[] {
  return results.map(({ result, amount_moved: moved, amount_held: held }) => ({
    ...{ result: result!.result, replayed: result!.replayed, moved, held },
    ...{ offset: Number(result!.offset), timestamp: Number(result!.timestamp) },
  }));
}

/** @param status of HTTP; 0: it is the command's */
function answerOf(json: Json, status: number): Answer {
  const text = (name: string): string | undefined => json[name] as string | undefined;
  const number = (name: string): object => (json[name] === undefined ? {} : { [name]: json[name] });
  const isShort = status === 201 && json['result'] === undefined;
  return {
    result: isShort ? 'ok' : (text('result') ?? text('code') ?? 'nothing'),
    replayed: json['replayed'] as boolean | undefined,
    moved: isShort ? text('amount') : (text('amount_moved') ?? text('amountMoved')),
    held: text('amount_held') ?? text('amountHeld'),
    ...number('offset'),
    ...number('timestamp'),
  };
}
