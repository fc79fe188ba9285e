/** What a request comes out as that is not a valid encoding of its message. */
export class Malformed {
  constructor(
    /** One clause: what is wrong, and where. */
    readonly why: string,
  ) {}
}
