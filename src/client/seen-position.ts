/**
 * The newest state that this client has seen. Tokens are opaque, so that they are told apart by the offset that came with
 * them: of two, the one with the higher offset is the newer, of equals the one that came later.
 */
export class SeenPosition {
  private offset = -2;
  /** Empty as long as nothing has been seen. */
  token = '';

  readonly see = (token: string, offset: number): void => {
    if (token === '' || offset < this.offset) return;
    this.token = token;
    this.offset = offset;
  };
}
