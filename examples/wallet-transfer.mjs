// A payment that is made once, however often it is sent. The id belongs to the order, not to the attempt: whoever retries,
// this program, its next run or another machine, sends the same id and gets the first answer again.
//
//   node examples/wallet-transfer.mjs [ADDRESS] [ORDER]
import { setTimeout as pause } from 'node:timers/promises';
import { LedgerClient, LedgerError } from '../dist/client/index.js';

const [address = 'localhost:8300', order = 'order-1'] = process.argv.slice(2);
const client = await LedgerClient.connect({ addresses: [address] });

/**
 * Sends one payment until the ledger has answered it. A refusal such as `insufficient_funds` is an answer; an exception
 * means that there was none, and then the payment may have happened: only the same id makes it safe to send it again.
 * @param {{ id: string, debitAccount: string, creditAccount: string, amount: string }} payment
 */
async function pay(payment) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.transfer(payment, { timeoutMs: 2_000 });
    } catch (error) {
      const passes = error instanceof LedgerError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
      if (!passes || attempt === 30) throw error;
      console.log(`  no answer (${error.reason}), sending ${payment.id} again`);
      await pause(error.retryAfterMs ?? 500);
    }
  }
}

try {
  await client.openAccounts([
    { name: 'bank', ledger: 'USD', minBalance: null },
    { name: 'wallets:ann', ledger: 'USD', minBalance: '0' },
    { name: 'shops:books', ledger: 'USD', minBalance: '0' },
  ]);
  await pay({ id: 'welcome-ann', debitAccount: 'bank', creditAccount: 'wallets:ann', amount: '20.00' });

  const payment = { id: order, debitAccount: 'wallets:ann', creditAccount: 'shops:books', amount: '7.50' };
  for (const time of ['first', 'second']) {
    const { result, offset, replayed } = await pay(payment);
    console.log(`${order}, sent a ${time} time: ${result}, offset ${offset}${replayed ? ', replayed' : ''}`);
  }

  const other = await pay({ ...payment, amount: '8.00' });
  console.log(`${order} with another amount: ${other.result}`);

  const tooMuch = await pay({ ...payment, id: `${order}-too-much`, amount: '1000.00' });
  console.log(`more than there is: ${tooMuch.result}`);

  // Not older than what this client has just done, whichever node answers.
  const { posted } = await client.balance('wallets:ann', { consistency: 'at-least' });
  console.log(`wallets:ann has ${posted}`);
} finally {
  await client.close();
}
