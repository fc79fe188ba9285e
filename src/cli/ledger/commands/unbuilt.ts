/** Commands of the contract that later work brings. Refused, so that nobody relies on what they would do. */
import { type Command } from 'commander';
import { UsageError } from '../terminal';

const UNBUILT: readonly (readonly [string, string])[] = [
  ['signup', 'the signup example is not built yet'],
  ['top', 'the live view is not built yet; `ledger status` shows the same once'],
  ['shell', 'the shell is not built yet'],
];

export function addUnbuiltCommands(program: Command): void {
  for (const [name, why] of UNBUILT) {
    program
      .command(name)
      .description(`[not built yet: refused] ${why}`)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new UsageError(`${name}: ${why}`);
      });
  }
}
