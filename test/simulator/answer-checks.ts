import type { Message } from '../../src/raft/core';
import type { SimNode } from './sim-node';
import { violated } from './violation';

/** What a leader believes of its followers is what they have told it in its own term (dissertation 3.5). */
export class AnswerChecks {
  /** The highest index that one node has acknowledged to another in a term. */
  private readonly acknowledged = new Map<string, number>();

  sent(message: Message): void {
    if (message.type !== 'appendResp' || message.reject) return;
    const key = keyOf(message.from, message.to, message.term);
    if (message.index > (this.acknowledged.get(key) ?? 0)) this.acknowledged.set(key, message.index);
  }

  /** Looks at a node after something happened in it. */
  look({ name, running }: SimNode): void {
    const status = running?.replica.status();
    if (status?.role !== 'leader') return;
    for (const { id, match } of status.peers) {
      const told = this.acknowledged.get(keyOf(id, status.id, status.term)) ?? 0;
      if (match <= told) continue;
      violated(
        'answers of the own term',
        `${name} leads term ${status.term} and counts ${id} up to ${match}, which has acknowledged ${told} in it`,
      );
    }
  }
}

function keyOf(from: string, to: string, term: number): string {
  return `${from} ${to} ${term}`;
}
