/** The program of the thread that writes runs and indexes: see RunThread. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { join } from 'node:path';
import { NodeFiles } from '../../log/node-files';
import { CHAIN_ROWS } from '../../ledger/row-chain';
import { extrasBytes, TRANSFER_WORDS } from '../../ledger/transfer-row';
import { FiledIndex } from './id-index';
import { indexFile } from './index-format';
import { mergeIndexes } from './index-merge';
import { IdFileDamageError, type RunName } from './run-format';
import { type MadeIndex, RunsInPlace } from './run-maker';
import type { RunUnit } from './run-writer';
import { failureOf, type FromThread, type RunThreadData, type ToThread } from './run-thread-protocol';

/** Pieces of rows that are asked for before they are needed. */
const ASKED_AHEAD = 2;
const UNIT_WORDS = CHAIN_ROWS * TRANSFER_WORDS;

/** The rows of one run, as they come. */
class ArrivingRows {
  private readonly pieces: RunUnit[] = [];
  private at = 0;
  private extrasAt = 0;
  /** All of it was taken; its last unit is in use until the next one is asked for. */
  private used: Uint32Array | undefined;
  private wanted: ((unit: RunUnit) => void) | undefined;

  constructor(
    private row: number,
    private readonly lengthsFrom: number,
    private readonly ask: (used?: Uint32Array) => void,
  ) {
    for (let i = 0; i < ASKED_AHEAD; i++) ask();
  }

  arrived(piece: RunUnit): void {
    this.pieces.push(piece);
    const { wanted } = this;
    this.wanted = undefined;
    wanted?.(this.next());
  }

  /** They are taken in order, each before the next. */
  unit(): RunUnit | Promise<RunUnit> {
    if (this.used) this.ask(this.used);
    this.used = undefined;
    return this.pieces.length > 0 ? this.next() : new Promise((resolve) => (this.wanted = resolve));
  }

  private next(): RunUnit {
    const { words, extras } = this.pieces[0]!;
    const bytes = extrasBytes(words, this.at, this.row, CHAIN_ROWS, this.lengthsFrom);
    const unit = {
      words: words.subarray(this.at, this.at + UNIT_WORDS),
      extras: extras.subarray(this.extrasAt, this.extrasAt + bytes),
    };
    this.row += CHAIN_ROWS;
    this.at += UNIT_WORDS;
    this.extrasAt += bytes;
    if (this.at === words.length) {
      this.used = this.pieces.shift()?.words;
      this.at = this.extrasAt = 0;
    }
    return unit;
  }
}

class RunThreadMain {
  private readonly folder: RunThreadData & { readonly files: NodeFiles };
  private readonly maker: RunsInPlace;
  private arriving: ArrivingRows | undefined;

  constructor(
    private readonly port: MessagePort,
    data: RunThreadData,
  ) {
    this.folder = { ...data, files: new NodeFiles() };
    this.maker = new RunsInPlace(this.folder);
  }

  take(message: ToThread): void {
    switch (message.type) {
      case 'write': {
        const { first, count, lengthsFrom } = message;
        const arriving = new ArrivingRows(first, lengthsFrom, (used) =>
          used ? this.send({ type: 'more', used }, [used]) : this.send({ type: 'more' }),
        );
        this.arriving = arriving;
        const chainBefore = Buffer.from(message.chainBefore);
        this.answer(this.maker.write({ first, count, chainBefore, lengthsFrom, unit: () => arriving.unit() }));
        break;
      }
      case 'rows':
        this.arriving?.arrived(message);
        break;
      case 'merge':
        this.answer(this.merge(message.names));
        break;
    }
  }

  private async merge(names: readonly RunName[]): Promise<MadeIndex> {
    const indexes: FiledIndex[] = [];
    try {
      for (const name of names) {
        const index = await FiledIndex.open(this.folder, name);
        if (!index) throw new IdFileDamageError(join(this.folder.directory, indexFile(name)), 0, 'it cannot be used');
        indexes.push(index);
      }
      return await mergeIndexes(this.folder, indexes);
    } finally {
      for (const index of indexes) await index.close();
    }
  }

  private answer(work: Promise<MadeIndex>): void {
    work.then(
      ({ name, filter: { bits, starts, remainders, more, marks, least, greatest } }) => {
        const filter = { bits, starts, remainders, more, marks, least, greatest };
        this.send({ type: 'done', name, filter }, [starts, remainders, more, marks]);
      },
      (error: unknown) => this.send({ type: 'failed', failure: failureOf(error) }),
    );
  }

  /** @param moved arrays whose memory goes with the message, so that nothing is copied */
  private send(message: FromThread, moved: readonly { readonly buffer: ArrayBufferLike }[] = []): void {
    this.port.postMessage(
      message,
      moved.map(({ buffer }) => buffer as ArrayBuffer),
    );
  }
}

if (parentPort) {
  const main = new RunThreadMain(parentPort, workerData as RunThreadData);
  parentPort.on('message', (message: ToThread) => main.take(message));
}
