#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { nodeConfig, type NodeConfig, type RawOptions } from '../node/config/node-config';
import { OPTIONS, environmentName } from '../node/config/option-table';
import { mergeSources } from '../node/config/sources';
import { OptionError } from '../node/config/units';
import { StartupError } from '../node/startup-error';
import { runNode } from '../node/run';
import { programVersion } from '../node/version';
import { addBackupCommand } from './offline/backup-command';
import { addDumpCommand } from './offline/dump-command';
import { addRebuildCommand } from './offline/rebuild-command';
import { addRecoverCommand } from './offline/recover-command';
import { addRestoreCommand } from './offline/restore-command';
import { addVerifyCommand } from './offline/verify-command';

const EXIT_USAGE = 2;
const EXIT_FAILED = 1;
const GOSSIP_KEY_BYTES = 32;

/** Offline commands of the contract that later work brings. Refused, so that nobody relies on what they would do. */
const NOT_BUILT: readonly (readonly [string, string])[] = [['certs', 'TLS is not built yet']];

function complain(message: string): void {
  process.stderr.write(`ledger-node: ${message.replaceAll('\n', ' ')}\n`);
}

function buildProgram(): Command {
  const program = new Command('ledger-node')
    .description('One node of a replicated ledger, in the foreground. See also: ledger --help')
    .version(programVersion())
    .allowExcessArguments(false)
    .helpCommand('help', 'print this')
    // What stands behind a command is that command's.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .option('--config-file <FILE>', 'YAML with the keys below, without dashes in front (LEDGER_NODE_CONFIG_FILE)');
  for (const option of OPTIONS) {
    const flags = option.kind === 'switch' ? `--${option.name}` : `--${option.name} <${option.placeholder ?? 'VALUE'}>`;
    const given = option.default === undefined ? '' : ` (default: ${option.default})`;
    const state = option.notBuilt === undefined ? '' : ' [not built yet: refused]';
    program.option(flags, `${option.help}${given}${state}`);
  }
  program.addHelpText(
    'after',
    `\nEvery option can be an environment variable (${environmentName('node-name')} for --node-name) or a key of the configuration file;\n` +
      'a flag wins over the environment, the environment over the file.',
  );
  program
    .command('keygen')
    .description('print a new key for --encrypt-key-file')
    .action(() => {
      process.stdout.write(`${randomBytes(GOSSIP_KEY_BYTES).toString('base64')}\n`);
    });
  addVerifyCommand(program);
  addDumpCommand(program);
  addBackupCommand(program);
  addRestoreCommand(program);
  addRecoverCommand(program);
  addRebuildCommand(program);
  for (const [name, why] of NOT_BUILT) {
    program
      .command(name)
      .description(`[not built yet: refused] ${why}`)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new OptionError(`${name}: ${why}`);
      });
  }
  return program;
}

/** The flags as written on the command line, by their own names. */
function flagsOf(program: Command): RawOptions {
  const flags: Record<string, string | boolean> = {};
  for (const option of program.options) {
    const name = option.long?.slice(2);
    if (name === undefined || name === 'version' || name === 'config-file') continue;
    const value: unknown = program.getOptionValue(option.attributeName());
    if (typeof value === 'string' || typeof value === 'boolean') flags[name] = value;
  }
  return flags;
}

function configOf(program: Command): NodeConfig {
  const flag: unknown = program.getOptionValue('configFile');
  const file = typeof flag === 'string' ? flag : process.env[environmentName('config-file')];
  return nodeConfig(mergeSources(flagsOf(program), process.env, file), process.stdout.isTTY);
}

function usageFault(error: CommanderError, program: Command): string {
  const [word] = program.args;
  if (
    error.code === 'commander.excessArguments' &&
    word !== undefined &&
    !program.commands.some((one) => one.name() === word)
  ) {
    return `"${word}" is not a command`;
  }
  return error.message.replace(/^error: /, '').replace(/\.$/, '');
}

// Whoever reads the output has left (`ledger-node dump | head`): there is nobody to write to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

async function main(): Promise<void> {
  const program = buildProgram();
  program.action(async () => {
    process.exitCode = await runNode(configOf(program));
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return;
      complain(`${usageFault(error, program)}; see ledger-node --help`);
      process.exitCode = EXIT_USAGE;
      return;
    }
    if (error instanceof OptionError || error instanceof StartupError) {
      complain(error.message);
      process.exitCode = error instanceof OptionError ? EXIT_USAGE : error.exitCode;
      return;
    }
    complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = EXIT_FAILED;
  }
}

void main();
