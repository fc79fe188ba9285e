/**
 * Whether what clients saw of one account could have happened one after the other, each operation at some moment between
 * its call and its answer (Herlihy and Wing 1990). The search is that of Wing and Gong (1993) with the memory of Lowe
 * (2017), as in Porcupine; accounts are checked one by one.
 */
export interface AccountOperation {
  /** Moments in one order for all: call, and answer (Infinity: none came). */
  readonly called: number;
  readonly answered: number;
  /** The balance after it, or undefined where it cannot have happened at this balance. */
  readonly step: (balance: bigint) => bigint | undefined;
  /** It leaves every balance as it is. */
  readonly readOnly: boolean;
  /** Where it probably took its place: it only decides what is tried first. */
  readonly hint: number;
  readonly text: string;
}

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** `stuck`: the operations of which none could come next, where the search came furthest. */
  | { readonly kind: 'impossible'; readonly stuck: readonly string[]; readonly balance: bigint }
  | { readonly kind: 'undecided' };

const MAX_STEPS = 200_000;

export function checkAccount(operations: readonly AccountOperation[], maxSteps = MAX_STEPS): Verdict {
  return new Search(operations, maxSteps).run();
}

interface Choice {
  readonly operation: number;
  readonly balanceBefore: bigint;
  /** What else could have come here, still to be tried. */
  readonly others: number[];
}

class Search {
  private readonly operations: readonly AccountOperation[];
  private readonly done: boolean[];
  private readonly path: Choice[] = [];
  private readonly visited = new Set<string>();
  private balance = 0n;
  /** All operations before this one are done. */
  private low = 0;
  private furthest: { readonly done: number; readonly stuck: readonly string[]; readonly balance: bigint } | undefined;

  constructor(
    operations: readonly AccountOperation[],
    private readonly maxSteps: number,
  ) {
    this.operations = [...operations].sort((a, b) => a.called - b.called);
    this.done = this.operations.map(() => false);
  }

  run(): Verdict {
    for (let steps = 0; steps < this.maxSteps; steps += 1) {
      if (this.low === this.operations.length) return { kind: 'linearizable' };
      const candidates = this.possible();
      const next = candidates.shift();
      if (next !== undefined) {
        this.take({ operation: next, balanceBefore: this.balance, others: candidates });
      } else if (!this.back()) {
        const { stuck = [], balance = 0n } = this.furthest ?? {};
        return { kind: 'impossible', stuck, balance };
      }
    }
    return { kind: 'undecided' };
  }

  /** What can come next, best first; nothing where all of it was tried before from the same place. */
  private possible(): number[] {
    const candidates = this.candidates();
    const possible = candidates.filter((at) => this.operations[at]!.step(this.balance) !== undefined);
    if (possible.length === 0) this.remember(candidates);
    if (this.wasHere()) return [];
    // What changes nothing and can come now may as well come now: nobody else is held up by it.
    const free = possible.find((at) => this.operations[at]!.readOnly);
    if (free !== undefined) return [free];
    return possible.sort((a, b) => this.operations[a]!.hint - this.operations[b]!.hint);
  }

  /** Not done, and called before anything that is not done was answered. */
  private candidates(): number[] {
    let firstAnswer = Infinity;
    const found: number[] = [];
    for (let at = this.low; at < this.operations.length; at += 1) {
      const operation = this.operations[at]!;
      if (operation.called > firstAnswer) break;
      if (this.done[at]) continue;
      firstAnswer = Math.min(firstAnswer, operation.answered);
      found.push(at);
    }
    return found.filter((at) => this.operations[at]!.called <= firstAnswer);
  }

  private take(choice: Choice): void {
    this.path.push(choice);
    this.done[choice.operation] = true;
    this.balance = this.operations[choice.operation]!.step(choice.balanceBefore)!;
    while (this.done[this.low]) this.low += 1;
  }

  /** Takes choices back until one has an alternative, and takes that. @returns false where there is none left */
  private back(): boolean {
    for (let choice = this.path.pop(); choice; choice = this.path.pop()) {
      this.done[choice.operation] = false;
      this.low = Math.min(this.low, choice.operation);
      this.balance = choice.balanceBefore;
      const operation = choice.others.shift();
      if (operation === undefined) continue;
      this.take({ operation, balanceBefore: choice.balanceBefore, others: choice.others });
      return true;
    }
    return false;
  }

  private wasHere(): boolean {
    let ahead = '';
    for (let at = this.low; at < this.done.length; at += 1) if (this.done[at]) ahead += ` ${at}`;
    const key = `${this.low}|${ahead}|${this.balance}`;
    if (this.visited.has(key)) return true;
    this.visited.add(key);
    return false;
  }

  private remember(candidates: readonly number[]): void {
    const done = this.path.length;
    if (this.furthest && this.furthest.done >= done) return;
    this.furthest = { done, stuck: candidates.map((at) => this.operations[at]!.text), balance: this.balance };
  }
}
