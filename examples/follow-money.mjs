// Following the money: a balance as it changes, the records of one account, and the proof of a payment, checked here with the
// keys that the nodes have published.
//
//   node examples/follow-money.mjs [ADDRESS]
import { LedgerClient, decodeLedgerRecord, verifyProof } from '../dist/client/index.js';

const [address = 'localhost:8300'] = process.argv.slice(2);
const client = await LedgerClient.connect({ addresses: [address] });

try {
  await client.openAccounts([
    { name: 'follow:source', ledger: 'USD', minBalance: null },
    { name: 'follow:till', ledger: 'USD', minBalance: '0' },
  ]);
  const { nextOffset: start } = await client.logRange();

  // Each answer of the watch leads to the next payment, so that none of them is passed over.
  let id = '';
  for await (const { balances } of client.watchBalances(['follow:till'])) {
    console.log(`follow:till has ${balances[0]?.posted}`);
    if ((balances[0]?.version ?? 0) >= 3) break;
    const payment = { debitAccount: 'follow:source', creditAccount: 'follow:till', amount: '2.50' };
    ({ id } = await client.transfer(payment));
    await client.produce('something else'); // records that are not about the till
  }

  // Only the till's records leave the node.
  const { nextOffset: end } = await client.logRange();
  let records = 0;
  for await (const record of client.consumeStream(start, { filter: { accounts: ['follow:till'] }, until: end })) {
    const { command, outcome } = decodeLedgerRecord(record.value);
    records += 1;
    console.log(`${command} ${outcome?.result} ${outcome?.amount_moved}`);
  }
  console.log(`${records} of ${end - start} records are about follow:till`);

  // Keys are worth something when they were kept from before; here they are asked for now.
  const keys = new Map();
  let clusterId = '';
  for (const { status } of await client.status()) {
    if (!status) continue;
    keys.set(status.nodeId, Buffer.from(status.publicKey, 'base64'));
    clusterId = status.clusterId;
  }
  const { result, amount } = verifyProof(await client.proof(id), { clusterId, keys });
  console.log(`proven: the last payment was ${result} and moved ${amount}`);
} finally {
  await client.close();
}
