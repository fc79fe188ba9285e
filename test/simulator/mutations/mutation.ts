import { join } from 'node:path';

/** A change of one source: a fragment that must be there exactly once, and what takes its place. */
export interface Edit {
  /** Relative to the repository. */
  readonly file: string;
  readonly original: string;
  readonly replacement: string;
}

/** A bug, put into the text of the sources while they are loaded: in `src/` and in a build there is nothing of it. */
export interface Mutation {
  readonly name: string;
  /** The rule that it breaks (sections of Ongaro's dissertation), or a system that has shipped it. */
  readonly source: string;
  /** What the program does then. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
}

/** An edit that fits its source no longer: the source has moved on, and the mutation has to follow. */
export class EditError extends Error {
  override readonly name = 'EditError';
}

/** @returns the text of a source with the edit made. @throws EditError unless the fragment is there exactly once */
export function edited(text: string, edit: Edit): string {
  const pieces = text.split(edit.original);
  if (pieces.length === 2) return pieces.join(edit.replacement);
  throw new EditError(
    `${edit.file} holds this fragment ${pieces.length - 1} times, not once; bring the mutation in line with it:\n${edit.original}`,
  );
}

/** What the loader does to each source: `mutation` in the files that it names, nothing in all others. */
export function editorFor(mutation: Mutation, root: string): (path: string, text: string) => string {
  const edits = mutation.edits.map((edit) => ({ path: join(root, edit.file), edit }));
  return (path, text) =>
    edits.filter((one) => one.path === path).reduce((changed, { edit }) => edited(changed, edit), text);
}
