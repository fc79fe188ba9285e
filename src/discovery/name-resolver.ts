import { lookup } from 'node:dns/promises';

const FRESH_MS = 30_000;
const RETRY_MS = 2_000;
const MAX_NAMES = 256;

interface Name {
  /** The address of the last answer; undefined before the first. */
  address: string | undefined;
  askAgainAt: number;
}

type Lookup = (name: string, family: 4 | 6) => Promise<string>;

const systemLookup: Lookup = async (name, family) => (await lookup(name, { family })).address;

/**
 * Names to addresses, remembered. Every look-up of the system's resolver holds a thread of the small pool that file writes
 * need too, for seconds when a name server is down: so at most one runs at a time, and an old answer is used meanwhile.
 */
export class NameResolver {
  private readonly names = new Map<string, Name>();
  private busy = false;

  /** @param now milliseconds on a clock that never goes back */
  constructor(
    private readonly family: 4 | 6,
    private readonly now: () => number,
    private readonly onFailure: (name: string, error: unknown) => void,
    private readonly ask: Lookup = systemLookup,
  ) {}

  /** What is known now. Undefined means not yet: gossip repeats itself, so the caller drops the datagram. */
  resolve(name: string): string | undefined {
    const known = this.names.get(name) ?? this.add(name);
    if (!this.busy && this.now() >= known.askAgainAt) {
      this.busy = true;
      void this.refresh(name, known);
    }
    return known.address;
  }

  private async refresh(name: string, known: Name): Promise<void> {
    try {
      known.address = await this.ask(name, this.family);
      known.askAgainAt = this.now() + FRESH_MS;
    } catch (error) {
      known.askAgainAt = this.now() + RETRY_MS;
      this.onFailure(name, error);
    } finally {
      this.busy = false;
    }
  }

  private add(name: string): Name {
    const [oldest] = this.names.keys();
    if (this.names.size >= MAX_NAMES && oldest !== undefined) this.names.delete(oldest);
    const fresh: Name = { address: undefined, askAgainAt: -Infinity };
    this.names.set(name, fresh);
    return fresh;
  }
}
