import { Command, CommanderError } from 'commander';

import { addAccountCommands } from './commands/accounts';
import { addBenchCommand } from './commands/bench';
import { addClusterCommands } from './commands/cluster';
import { addErrorsCommand } from './commands/errors';
import { addImportCommand } from './commands/import';
import { addKindsOfTransfers } from './commands/kinds-of-transfers';
import { addPastCommands } from './commands/past';
import { addProofCommands } from './commands/proofs';
import { addRecordCommands } from './commands/records';
import { addSqlCommand } from './commands/sql';
import { addTransactionCommand } from './commands/transactions';
import { addTransferCommands } from './commands/transfers';
import { addUnbuiltCommands } from './commands/unbuilt';
import { addWatchCommand } from './commands/watch';
import { addGlobalOptions, ExitCode, Session, verdictOn } from './session';
import { type Terminal } from './terminal';
import { packageVersion } from './version';

/**
 * Runs `ledger` with these arguments (without the names of the program).
 * @returns the exit status: 0 done, 1 refused by the ledger, 2 wrong usage, 3 no cluster reached
 */
export async function runLedger(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = buildProgram(terminal);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ExitCode.DONE;
  } catch (error) {
    if (error instanceof CommanderError) return exitOfParser(error, terminal);
    const { line, exitCode } = verdictOn(error);
    terminal.stderr.write(`ledger: ${line}\n`);
    return exitCode;
  }
}

function buildProgram(terminal: Terminal): Command {
  const program = new Command('ledger')
    .description('The client of a replicated ledger. See also: ledger-node --help')
    .version(packageVersion())
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // One line is written by whoever catches the error.
      writeErr: () => undefined,
    })
    .addHelpText('after', '\nExit status: 0 done, 1 refused by the ledger, 2 wrong usage, 3 no cluster reached.');
  addGlobalOptions(program);
  const session = (): Session => new Session(terminal, program);
  addRecordCommands(program, session);
  addAccountCommands(program, session);
  addTransferCommands(program, session);
  addKindsOfTransfers(program, session);
  addPastCommands(program, session);
  addTransactionCommand(program, session);
  addImportCommand(program, session);
  addWatchCommand(program, session);
  addProofCommands(program, session);
  addClusterCommands(program, session);
  addBenchCommand(program, session);
  addSqlCommand(program, session);
  addErrorsCommand(program, session);
  addUnbuiltCommands(program);
  return program;
}

function exitOfParser(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return ExitCode.DONE;
  const what = error.code === 'commander.help' ? 'name a command' : error.message.replace(/^error: /, '');
  terminal.stderr.write(`ledger: ${what.replaceAll('\n', ' ')}; see ledger --help\n`);
  return ExitCode.USAGE;
}
