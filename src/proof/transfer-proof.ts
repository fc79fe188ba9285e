/** The proof that a transfer is in the log, and what was decided of it; and its form as a JSON document. */
import { type SignedHead } from './signed-head';

export interface TransferProof {
  /** Canonical text. */
  readonly id: string;
  /** The whole batch that the transfer came in, as it is in the log. */
  readonly batch: Buffer;
  /** The place of its record in the batch, from 0. */
  readonly record: number;
  /** 64 bytes for each record of the batch. */
  readonly outcomes: Buffer;
  /** From the batch's leaf to the root, the lowest hash first. */
  readonly path: readonly Buffer[];
  readonly head: SignedHead;
}

const FORMAT = 'ledger-node/proof/1';
/** More hashes than a path in any tree has. */
const MAX_PATH = 64;

/** What is no proof, or does not prove what it says; the message says why. */
export class ProofError extends Error {
  override readonly name = 'ProofError';
}

export function proofJson({ id, batch, record, outcomes, path, head }: TransferProof): object {
  return {
    ...{ format: FORMAT, id, record },
    batch: batch.toString('base64'),
    outcomes: outcomes.toString('base64'),
    path: path.map((hash) => hash.toString('hex')),
    head: headJson(head),
  };
}

export function headJson(head: SignedHead): object {
  return {
    ...{ cluster: head.clusterId, group: head.group, node: head.nodeId, size: head.size },
    ...{ root: head.root.toString('hex'), offset: head.nextOffset, time: head.time },
    publicKey: head.publicKey.toString('base64'),
    signature: head.signature.toString('base64'),
  };
}

/** Reads what `proofJson` wrote. Throws ProofError. */
export function parseProof(text: string): TransferProof {
  const proof = objectOf(parsed(text), 'the proof');
  if (proof['format'] !== FORMAT) throw new ProofError(`This is no proof: its format is not "${FORMAT}".`);
  const path = proof['path'];
  if (!Array.isArray(path) || path.length > MAX_PATH) throw new ProofError('The proof has no path.');
  return {
    id: textIn(proof, 'id'),
    batch: base64In(proof, 'batch'),
    record: numberIn(proof, 'record'),
    outcomes: base64In(proof, 'outcomes'),
    path: path.map((hash) => hexOf(hash, 32, 'a hash of the path')),
    head: headOf(objectOf(proof['head'], 'the head')),
  };
}

function headOf(head: Fields): SignedHead {
  return {
    clusterId: hexOf(head['cluster'], 16, 'the cluster').toString('hex'),
    group: numberIn(head, 'group'),
    nodeId: hexOf(head['node'], 8, 'the node').toString('hex'),
    size: numberIn(head, 'size'),
    root: hexOf(head['root'], 32, 'the root'),
    nextOffset: numberIn(head, 'offset'),
    time: numberIn(head, 'time'),
    publicKey: base64In(head, 'publicKey'),
    signature: base64In(head, 'signature'),
  };
}

export type Fields = Readonly<Record<string, unknown>>;

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProofError(`This is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function objectOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new ProofError(`There is nothing that says ${what}.`);
}

export function textIn(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new ProofError(`"${name}" is missing, or not a text.`);
}

function numberIn(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ProofError(`"${name}" is missing, or not a whole number.`);
}

export function base64In(fields: Fields, name: string): Buffer {
  const text = textIn(fields, name);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') === text) return bytes;
  throw new ProofError(`"${name}" is not base64.`);
}

export function hexOf(value: unknown, bytes: number, what: string): Buffer {
  if (typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value))
    return Buffer.from(value, 'hex');
  throw new ProofError(`${what} is not ${2 * bytes} hexadecimal digits.`);
}
