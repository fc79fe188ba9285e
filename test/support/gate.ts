import type { FileOperation, Intercept } from './faulty-files';

/** Holds operations of one kind until it is opened. */
export class Gate {
  private open: () => void = () => undefined;
  private arrive: () => void = () => undefined;
  /** Resolves when the first operation waits at the gate. */
  readonly reached = new Promise<void>((resolve) => {
    this.arrive = resolve;
  });
  private readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  constructor(private readonly held: FileOperation) {}

  readonly intercept: Intercept = async (operation) => {
    if (operation !== this.held) return;
    this.arrive();
    await this.opened;
  };

  release(): void {
    this.open();
  }
}
