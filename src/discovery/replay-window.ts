const WORD_BITS = 32;
const WORDS = 32;
/** How far behind the newest a number may be: one word of the ring is always being refilled. */
const REACH = (WORDS - 1) * WORD_BITS;

/** Which numbers of one counter were seen, in bounded memory: the sliding window of RFC 6479, without bit shifting. */
export class ReplayWindow {
  private readonly bits = new Uint32Array(WORDS);
  private highest = -1;

  /** True the first time a number is offered; false for a repetition and for what is too old to tell. */
  accept(number: number): boolean {
    if (number > this.highest) {
      this.moveTo(number);
    } else if (this.highest - number >= REACH) {
      return false;
    }
    const word = Math.floor(number / WORD_BITS) % WORDS;
    const bit = 1 << (number % WORD_BITS);
    const seen = this.bits[word] ?? 0;
    if ((seen & bit) !== 0) return false;
    this.bits[word] = seen | bit;
    return true;
  }

  private moveTo(number: number): void {
    const from = Math.floor(this.highest / WORD_BITS);
    const words = Math.min(Math.floor(number / WORD_BITS) - from, WORDS);
    for (let step = 1; step <= words; step++) this.bits[(from + step + WORDS) % WORDS] = 0;
    this.highest = number;
  }
}

/** One run of a sender: eight random bytes in hex, and its wall clock in milliseconds when the run began. */
export interface Session {
  readonly id: string;
  readonly startedAt: number;
}

type SessionVerdict = 'accepted' | 'repeated' | 'old_session';

interface Heard {
  readonly session: Session;
  readonly window: ReplayWindow;
  heardAt: number;
}

/** A node whose clock was set back between two runs looks like an old run; after this silence it is taken for the new one. */
const TAKEOVER_SILENCE_MS = 10_000;

/**
 * Refuses what a sender said before: the same number of its current session again, and sessions older than that. A
 * recording of a session that nobody remembers still gets through; what it carries is then judged by its incarnations.
 */
export class SenderSessions {
  private readonly heard = new Map<string, Heard>();

  /** @param limit senders remembered; the one that was silent longest is forgotten first */
  constructor(private readonly limit: number) {}

  /** @param now milliseconds on a clock that never goes back */
  accept(sender: string, session: Session, number: number, now: number): SessionVerdict {
    const known = this.heard.get(sender);
    if (known?.session.id === session.id) {
      if (!known.window.accept(number)) return 'repeated';
      this.remember(sender, known, now);
      return 'accepted';
    }
    if (known && session.startedAt <= known.session.startedAt && now - known.heardAt < TAKEOVER_SILENCE_MS) {
      return 'old_session';
    }
    const fresh: Heard = { session, window: new ReplayWindow(), heardAt: now };
    fresh.window.accept(number);
    this.remember(sender, fresh, now);
    return 'accepted';
  }

  private remember(sender: string, heard: Heard, now: number): void {
    heard.heardAt = now;
    this.heard.delete(sender);
    this.heard.set(sender, heard);
    if (this.heard.size <= this.limit) return;
    const [oldest] = this.heard.keys();
    if (oldest !== undefined) this.heard.delete(oldest);
  }
}
