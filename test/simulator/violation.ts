/** Something that must always hold does not. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    readonly property: string,
    what: string,
  ) {
    super(`${property}: ${what}`);
  }
}

export function violated(property: string, what: string): never {
  throw new Violation(property, what);
}
