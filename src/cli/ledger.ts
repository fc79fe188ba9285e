#!/usr/bin/env node
import { runLedger } from './ledger/program';

const interrupted = new AbortController();

// The first Ctrl-C ends what runs on and prints what it has; the second one is the system's.
process.once('SIGINT', () => interrupted.abort());

// Whoever reads the output has left (`ledger consume | head`): there is nobody to write to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

async function main(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  // Undefined on a pipe, whatever its type says; and only a false keeps picocolors from looking for itself.
  const colors = Boolean(stdout.isTTY) && process.env['NO_COLOR'] === undefined;
  process.exitCode = await runLedger(process.argv.slice(2), {
    ...{ stdin, stdout, stderr, colors },
    signal: interrupted.signal,
  });
}

void main();
