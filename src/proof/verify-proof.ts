/**
 * Checks a proof with nothing but the published keys of the nodes: no node is asked, and nothing that the proof says is believed
 * that does not follow from a signature.
 */
import { BatchFormatError, payloadOf, verifyBatch, type BatchHeader } from '../log/batch';
import { ChunkFormatError, iterateChunks, RecordType, type Chunk } from '../log/chunk';
import { formatMinor } from '../ledger/amounts';
import { type Command } from '../ledger/command-codec';
import { formatId } from '../ledger/identifiers';
import { decodeOutcomeRow, isOutcomeRowSet, OUTCOME_ROW_BYTES, type OutcomeRow } from '../ledger/outcome-row';
import { commandValue, decodeLogRecord } from '../ledger/record-value';
import { resultName } from '../ledger/result-codes';
import { rootFromPath } from './inclusion';
import { leafOf } from './leaf';
import { isSignedByItsKey, PUBLIC_KEY_BYTES } from './signed-head';
import { base64In, hexOf, objectOf, parsed, ProofError, type TransferProof } from './transfer-proof';

/** The keys of a cluster's nodes, by the id of the node, as they were published. */
export interface PublishedKeys {
  readonly clusterId: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

/** What follows from a proof that holds. */
export interface ProvenTransfer {
  readonly id: string;
  readonly offset: number;
  /** Microseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly result: string;
  /** What moved, at the ledger's scale. */
  readonly amount: string;
  readonly debitHandle: number;
  readonly creditHandle: number;
  /** What was asked for. */
  readonly command: Command;
  /** Entry of the log, and how many entries the head covers. */
  readonly entry: number;
  readonly size: number;
  /** The node whose signature it is, and when it signed. */
  readonly nodeId: string;
  readonly signedAt: number;
}

/** Reads `{"cluster": …, "keys": [{"node": …, "publicKey": …}]}`. Throws ProofError. */
export function parseKeys(text: string): PublishedKeys {
  const document = objectOf(parsed(text), 'the keys');
  const list = document['keys'];
  if (!Array.isArray(list)) throw new ProofError('The file of keys has no list "keys".');
  const keys = new Map<string, Buffer>();
  for (const item of list as readonly unknown[]) {
    const fields = objectOf(item, 'a key');
    const key = base64In(fields, 'publicKey');
    if (key.length !== PUBLIC_KEY_BYTES) throw new ProofError(`A public key has ${PUBLIC_KEY_BYTES} bytes.`);
    keys.set(hexOf(fields['node'], 8, 'the node of a key').toString('hex'), key);
  }
  return { clusterId: hexOf(document['cluster'], 16, 'the cluster of the keys').toString('hex'), keys };
}

/** Throws ProofError, whose message says what does not hold. */
export function verifyProof(proof: TransferProof, published: PublishedKeys): ProvenTransfer {
  const { head } = proof;
  checkSignature(proof, published);
  const header = batchHeader(proof.batch);
  if (header.group !== head.group) throw new ProofError('The batch is of another group than the head.');
  if (proof.outcomes.length !== header.count * OUTCOME_ROW_BYTES) {
    throw new ProofError(
      `The batch has ${header.count} records, and ${proof.outcomes.length} bytes of outcomes are given.`,
    );
  }
  const root = rootFromPath(leafOf(header, proof.outcomes), header.index - 1, head.size, proof.path);
  if (root?.equals(head.root) !== true) {
    throw new ProofError(`Batch ${header.index} with these outcomes is not under the root that was signed.`);
  }
  return provenBy(proof, header);
}

function checkSignature({ head }: TransferProof, { clusterId, keys }: PublishedKeys): void {
  if (head.clusterId !== clusterId) throw new ProofError('The head is of another cluster than the keys.');
  const key = keys.get(head.nodeId);
  if (key === undefined) throw new ProofError(`Node ${head.nodeId}, which signed, is not among the keys.`);
  if (!key.equals(head.publicKey))
    throw new ProofError(`The head was signed with another key than node ${head.nodeId} has.`);
  if (!isSignedByItsKey(head)) throw new ProofError('The signature of the head is wrong.');
}

function batchHeader(batch: Buffer): BatchHeader {
  try {
    return verifyBatch(batch);
  } catch (error) {
    if (error instanceof BatchFormatError) throw new ProofError(`The batch is not whole: ${error.message}`);
    throw error;
  }
}

function provenBy({ id, batch, record, outcomes, head }: TransferProof, header: BatchHeader): ProvenTransfer {
  const command = commandAt(batch, record);
  const at = record * OUTCOME_ROW_BYTES;
  if ((command?.kind !== 'transfer' && command?.kind !== 'refer') || formatId(command.id) !== id) {
    throw new ProofError(`Record ${record} of the batch is not the transfer ${JSON.stringify(id)}.`);
  }
  if (!isOutcomeRowSet(outcomes, at)) throw new ProofError(`Record ${record} of the batch has no outcome.`);
  const row: OutcomeRow = decodeOutcomeRow(outcomes, at);
  const { timestamp, debitHandle, creditHandle } = row;
  return {
    ...{ id, timestamp, debitHandle, creditHandle, command, offset: header.baseOffset + record },
    result: resultName(row.result),
    amount: formatMinor(row.replayed ? 0n : row.amountMoved, row.scale),
    ...{ entry: header.index, size: head.size, nodeId: head.nodeId, signedAt: head.time },
  };
}

/** Undefined where there is no record of the ledger at that place. */
function commandAt(batch: Buffer, record: number): Command | undefined {
  let before = 0;
  for (const chunk of chunksOf(batch)) {
    if (record < before + chunk.count) {
      if (chunk.type !== RecordType.Ledger) return undefined;
      return decodeLogRecord(commandValue(chunk.width, chunk.record(record - before)))?.command;
    }
    before += chunk.count;
  }
  return undefined;
}

function chunksOf(batch: Buffer): readonly Chunk[] {
  try {
    return iterateChunks(payloadOf(batch));
  } catch (error) {
    if (error instanceof ChunkFormatError) throw new ProofError(`The batch cannot be read: ${error.message}`);
    throw error;
  }
}
