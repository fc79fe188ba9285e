import type { Message } from '../../src/raft/core';
import type { SeededRandom } from '../support/seeded-random';
import type { FaultCounts } from './fault-counts';
import { MILLISECOND, type VirtualTime } from './virtual-time';

export interface NetworkWeather {
  /** Microseconds, lowest and highest of the usual delay. */
  readonly delay: readonly [number, number];
  /** Chances per message: lost, delivered twice, delayed by up to `lateMicros` more so that others overtake it. */
  readonly loss: number;
  readonly duplication: number;
  readonly late: number;
  readonly lateMicros: number;
}

export const FAIR_WEATHER: NetworkWeather = {
  delay: [100, 600],
  loss: 0,
  duplication: 0,
  late: 0,
  lateMicros: 0,
};

/** What carries messages between machines, by name: each link in each direction can be cut or slow on its own. */
export class Network {
  weather: NetworkWeather = FAIR_WEATHER;
  private readonly cut = new Set<string>();
  private readonly slow = new Map<string, number>();

  constructor(
    private readonly time: VirtualTime,
    private readonly random: SeededRandom,
    private readonly counts: FaultCounts,
  ) {}

  cutLink(from: string, to: string): void {
    this.cut.add(linkOf(from, to));
  }

  /** One that was cut works again. */
  openLink(from: string, to: string): void {
    this.cut.delete(linkOf(from, to));
  }

  /** A link that takes so many microseconds more. */
  slowLink(from: string, to: string, micros: number): void {
    this.slow.set(linkOf(from, to), micros);
  }

  /** All links work again. */
  mend(): void {
    this.cut.clear();
    this.slow.clear();
  }

  passes(from: string, to: string): boolean {
    return !this.cut.has(linkOf(from, to));
  }

  /** Delivers once, several times or never. `once`: never several times, as on one connection. */
  transmit(from: string, to: string, deliver: () => void, once = false): void {
    if (!this.passes(from, to)) return;
    const { random, weather } = this;
    if (random.chance(weather.loss)) {
      this.counts.add('message lost');
      return;
    }
    this.deliverLater(from, to, deliver);
    if (once || !random.chance(weather.duplication)) return;
    this.counts.add('message doubled');
    this.deliverLater(from, to, deliver);
  }

  private deliverLater(from: string, to: string, deliver: () => void): void {
    const { random, weather } = this;
    const [low, high] = weather.delay;
    let delay = low + random.below(high - low + 1) + (this.slow.get(linkOf(from, to)) ?? 0);
    if (random.chance(weather.late)) {
      delay += random.below(weather.lateMicros + 1);
      this.counts.add('message late');
    }
    this.time.after(delay, () => {
      if (this.passes(from, to)) deliver();
    });
  }
}

function linkOf(from: string, to: string): string {
  return `${from}>${to}`;
}

/** Weather for a run's bad times: some runs are calm, some are wild. */
export function drawWeather(random: SeededRandom): NetworkWeather {
  return {
    delay: [50, 200 + random.below(4 * MILLISECOND)],
    loss: [0, 0.01, 0.05, 0.15][random.below(4)]!,
    duplication: [0, 0.02, 0.1][random.below(3)]!,
    late: [0, 0.02, 0.1][random.below(3)]!,
    lateMicros: (10 + random.below([400, 400, 3_000][random.below(3)]!)) * MILLISECOND,
  };
}

/** One line that says what a message is. */
export function describeMessage(message: Message): string {
  const head = `${message.type} term ${message.term}`;
  switch (message.type) {
    case 'append':
      return `${head} after ${message.prevIndex}.${message.prevTerm} +${message.entries.length} commit ${message.commit}`;
    case 'appendResp':
      return `${head} ${message.reject ? `reject, hint ${message.hintIndex}.${message.hintTerm}` : 'match'} ${message.index}`;
    case 'vote':
    case 'preVote':
      return `${head} log ${message.lastIndex}.${message.lastTerm}`;
    case 'voteResp':
    case 'preVoteResp':
      return `${head} ${message.reject ? 'no' : 'yes'}`;
    case 'heartbeat':
      return `${head} commit ${message.commit} round ${message.context}`;
    case 'heartbeatResp':
    case 'readIndex':
      return `${head} round ${message.context}`;
    case 'readIndexResp':
      return `${head} round ${message.context} index ${message.index} ${message.refusal}`;
    case 'snapshot':
      return `${head} at ${message.meta.index}.${message.meta.term}`;
    case 'timeoutNow':
      return head;
  }
}
