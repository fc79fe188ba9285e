/** Why a node did not start, in one line for the operator; 2: wrongly asked for, 1: something is broken. */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(
    message: string,
    readonly exitCode: 1 | 2,
  ) {
    super(message);
  }
}
