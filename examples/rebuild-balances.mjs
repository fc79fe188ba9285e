// Balances from the log alone. Every record of the ledger carries its outcome, so that a reader needs no rule of money: it
// adds what moved. At the end the result is compared with what the ledger says.
//
//   node examples/rebuild-balances.mjs [ADDRESS]
import { LedgerClient, decodeLedgerRecord } from '../dist/client/index.js';

const [address = 'localhost:8300'] = process.argv.slice(2);
const client = await LedgerClient.connect({ addresses: [address] });

/** @type {Map<string, string>} by handle */
const names = new Map();
/** @type {Map<string, bigint>} by handle, in minor units: never a floating-point number */
const balances = new Map();

/** @param {string} handle @param {bigint} change */
function add(handle, change) {
  balances.set(handle, (balances.get(handle) ?? 0n) + change);
}

/** @param {import('../dist/client/index.js').LedgerRecord} record */
function follow({ command, fields, outcome }) {
  // A repeat changed nothing: its first record is in the log, too.
  if (outcome === undefined || outcome.result !== 'ok' || outcome.replayed) return;
  const [debit, credit] = [String(outcome.debit_handle), String(outcome.credit_handle)];
  if (command === 'open_account') {
    names.set(credit, String(fields.name));
    add(credit, 0n);
  }
  if (command !== 'transfer') return;
  // With auto_open an account begins with its first transfer.
  if (outcome.opened_debit) names.set(debit, String(fields.debit_account));
  if (outcome.opened_credit) names.set(credit, String(fields.credit_account));
  const moved = BigInt(String(outcome.amount_moved).replace('.', ''));
  add(debit, -moved);
  add(credit, moved);
}

/** How the ledger itself stands at the moment. */
async function everyAccount() {
  const found = [];
  let pageToken = '';
  do {
    const page = await client.listAccounts({ pageToken, pageSize: 1_000 });
    found.push(...page.accounts);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

try {
  const { firstOffset, nextOffset } = await client.logRange();
  if (firstOffset > 0) throw new Error(`The log begins at offset ${firstOffset}: what came before was dropped.`);
  for (let offset = 0; offset < nextOffset;) {
    // The stream has no end: leave it where the log ended when this program began.
    for await (const record of client.consumeStream(offset)) {
      if (record.type === 1) follow(decodeLedgerRecord(record.value));
      offset = record.offset + 1;
      if (offset >= nextOffset) break;
    }
  }

  let wrong = 0;
  let shown = 0;
  for (const { account, balance } of await everyAccount()) {
    const rebuilt = balances.get(String(account.handle)) ?? 0n;
    const stated = BigInt(balance.posted.replace('.', ''));
    if (rebuilt !== stated || names.get(String(account.handle)) !== account.name) wrong += 1;
    if ((shown += 1) <= 10) console.log(`${account.name.padEnd(24)} ${balance.posted.padStart(14)}`);
  }
  console.log(`${nextOffset} records read, ${shown} accounts, ${wrong} differ from the ledger`);
  if (wrong > 0) process.exitCode = 1;
} finally {
  await client.close();
}
