/** errors: what the names of results and reasons mean. */
import { type Command } from 'commander';
import { explain, explainedNames, type Explanation } from '../errors/explain';
import { type Session } from '../session';
import { UsageError } from '../terminal';

export function addErrorsCommand(program: Command, session: () => Session): void {
  program
    .command('errors')
    .description('what the name of a result or a reason means, and what to do')
    .argument('[name]', 'such as insufficient_funds or OUTCOME_UNKNOWN (default: list all)')
    .action((name?: string) => (name === undefined ? list(session()) : one(session(), name)));
}

function one(session: Session, name: string): void {
  const found = explain(name);
  if (!found) throw new UsageError(`errors: there is no result or reason "${name}"; \`ledger errors\` lists them`);
  const { burnsId, meaning, advice, grpc, http } = found;
  session.output.record(json(found), [
    ['name', found.name],
    ['means', meaning],
    ['do', advice],
    ['burns the id', burnsId === undefined ? undefined : burnsId ? 'yes' : 'no'],
    ['gRPC', grpc],
    ['HTTP', http],
  ]);
}

function list(session: Session): void {
  const all = explainedNames().map((name) => explain(name)!);
  session.output.list(
    { errors: all.map(json) },
    ['name', 'means'],
    all.map(({ name, meaning }) => [name, meaning]),
  );
}

function json(found: Explanation): object {
  return { ...found, grpc: found.grpc ?? null, http: found.http ?? null, burnsId: found.burnsId ?? null };
}
