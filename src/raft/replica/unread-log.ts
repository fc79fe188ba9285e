/**
 * What of the log somebody has still to read: the projection of this node, a peer that was sent a snapshot. Retention leaves
 * that some time longer, since it would be gone for them otherwise, and not for ever, since a disk ends.
 */
export class UnreadLog {
  private readonly readers = new Map<string, () => number | undefined>();

  /**
   * Takes the place of the reader of this name.
   * @param from index of the first entry that it has not taken over for good; undefined: it reads no more, and is forgotten
   */
  read(reader: string, from: () => number | undefined): void {
    this.readers.set(reader, from);
  }

  /** Whether a reader still needs something of what ends with this entry. */
  has(lastIndex: number): boolean {
    let unread = false;
    for (const [reader, from] of this.readers) {
      const index = from();
      if (index === undefined) this.readers.delete(reader);
      else if (index <= lastIndex) unread = true;
    }
    return unread;
  }
}

/** So many times what retention allows is kept at most where it has not been read. */
export const UNREAD_TIMES = 4;
