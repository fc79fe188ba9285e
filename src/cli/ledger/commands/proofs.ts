/** proof, keys and verify-proof. */
import { readFileSync } from 'node:fs';
import { type Command } from 'commander';
import {
  headJson,
  parseKeys,
  parseProof,
  ProofError,
  proofJson,
  type ProvenTransfer,
  verifyProof,
} from '../../../client';
import { addConsistencyOptions, type ConsistencyOptions, consistencyOf } from '../consistency';
import { timeText } from '../output';
import { type Session } from '../session';
import { Refused, UsageError } from '../terminal';

export function addProofCommands(program: Command, session: () => Session): void {
  const proof = program.command('proof').description('prove what is in the log');
  addConsistencyOptions(
    proof
      .command('transfer')
      .description('print the proof that a transfer is in the log and what was decided of it, signed by a node')
      .argument('<id>', 'its id'),
  ).action((id: string, options: ConsistencyOptions) => prove(session(), id, options));
  proof
    .command('head')
    .description('print what one node says of its whole log, signed by it; that of the first of --addr')
    .option('--node <name>', 'ask this node')
    .action((options: { node?: string }) => head(session(), options.node));
  program
    .command('keys')
    .description('print the public keys of the nodes, which proofs are checked with')
    .action(() => keys(session()));
  program
    .command('verify-proof')
    .description('check a proof with published keys; asks no node')
    .argument('<file>', 'what `ledger proof` printed')
    .requiredOption('--keys <file>', 'what `ledger keys` printed')
    .action((file: string, options: { keys: string }) => verify(session(), file, options.keys));
}

async function prove(session: Session, id: string, options: ConsistencyOptions): Promise<void> {
  const consistency = consistencyOf(options);
  session.output.document(proofJson(await session.withClient((client) => client.proof(id, { consistency }))));
}

async function head(session: Session, node: string | undefined): Promise<void> {
  session.output.document(headJson(await session.withClient((client) => client.head(node))));
}

/** Each node says its own key: of one that does not answer there is none. */
async function keys(session: Session): Promise<void> {
  const servers = await session.withClient((client) => client.status());
  const answered = servers.flatMap(({ status }) => (status && status.publicKey !== '' ? [status] : []));
  const silent = servers.filter(({ status }) => status === undefined);
  if (answered.length === 0) throw new Refused('no_node_key', 'No node has said its key.');
  session.output.document({
    cluster: answered[0]!.clusterId,
    keys: answered.map(({ nodeId, nodeName, publicKey }) => ({ node: nodeId, name: nodeName, publicKey })),
  });
  for (const { address } of silent) session.output.note(`${address} does not answer: its key is missing`);
}

async function verify(session: Session, file: string, keysFile: string): Promise<void> {
  const proven = checked(text(file), text(keysFile));
  const { id, offset, result, amount, timestamp, debitHandle, creditHandle, entry, size, nodeId, signedAt } = proven;
  session.output.record(
    {
      ...{ valid: true, id, offset, result, amount, timestamp },
      ...{ debitHandle, creditHandle, entry, size, node: nodeId, signedAt },
    },
    [
      ['proven', id],
      ['result', result],
      ['moved', amount],
      ['from account', debitHandle],
      ['to account', creditHandle],
      ['offset', offset],
      ['at', timeText(timestamp)],
      ['entry', `${entry} of ${size}`],
      ['signed by node', nodeId],
      ['signed at', timeText(signedAt)],
    ],
  );
}

function checked(proof: string, publishedKeys: string): ProvenTransfer {
  try {
    return verifyProof(parseProof(proof), parseKeys(publishedKeys));
  } catch (error) {
    if (error instanceof ProofError) throw new Refused('proof_invalid', error.message);
    throw error;
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
