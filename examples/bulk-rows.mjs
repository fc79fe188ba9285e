// Many transfers at once, as packed rows of 64 bytes: what the client packs here is what lies on the disks of all nodes.
//
//   node examples/bulk-rows.mjs [ADDRESS] [BATCHES]
import { performance } from 'node:perf_hooks';
import { LedgerClient, packTransfers, resultName } from '../dist/client/index.js';

const ROWS = 8_190;
const ACCOUNTS = 100;
const [address = 'localhost:8300', batches = '5'] = process.argv.slice(2);
const client = await LedgerClient.connect({ addresses: [address] });

try {
  const accounts = await client.openAccounts(
    Array.from({ length: ACCOUNTS }, (_, n) => ({ name: `bulk:${n}`, ledger: 'USD', minBalance: null })),
  );
  const handles = accounts.map((account) => account.handle);
  const handle = (/** @type {number} */ n) => handles[n % ACCOUNTS] ?? 0n;

  // Ids are made while packing: keep the rows until they are answered, and what is sent again is the same.
  const packed = Array.from({ length: Number(batches) }, (_, batch) =>
    packTransfers(
      Array.from({ length: ROWS }, (_, n) => ({
        debitHandle: handle(n),
        creditHandle: handle(n + 1 + (batch % 7)),
        amountMinor: BigInt(1 + (n % 500)),
      })),
    ),
  );

  const begun = performance.now();
  const answers = await Promise.all(packed.map((rows) => client.submitRows(rows)));
  const seconds = (performance.now() - begun) / 1_000;

  const sent = answers.reduce((sum, answer) => sum + answer.count, 0);
  const refused = answers.flatMap((answer) => answer.refused);
  console.log(`${sent} transfers in ${answers.length} batches, ${refused.length} refused`);
  console.log(`${Math.round(sent / seconds)} transfers a second`);
  for (const { row, result } of refused.slice(0, 5)) console.log(`  row ${row}: ${resultName(result)}`);

  const first = packed[0];
  if (first) {
    const again = await client.submitRows(first);
    console.log(`the first batch again: ${again.repeats.length} of ${again.count} had been done before`);
  }
} finally {
  await client.close();
}
