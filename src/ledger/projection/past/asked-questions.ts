import { type AnswerTo, type AsOf, type HistoryQuestion } from '../../history';
import { type FromChild, type ToChild } from '../protocol';
import { PastRefusal } from './past-desk';

/** Questions that the node has under way; one more is refused at once. */
const MOST_ASKED = 64;
/** The share of a question's time that the process has, which keeps the time by itself; the rest is for the way back. */
const SHARE_OF_PROCESS = 0.9;

type Ask = Extract<ToChild, { type: 'ask' }>;
type Told = Extract<FromChild, { type: 'answered' | 'notAnswered' }>;

interface Waiting {
  readonly asked: Ask;
  readonly tell: (message: Told) => void;
}

/** The node's questions about the past to its projection's process, each until it is answered or its time is over. */
export class AskedQuestions {
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;

  /** @param standing how the process is, in a few words */
  constructor(private readonly standing: () => string) {}

  /** Rejects with {@link PastRefusal}. */
  ask<Q extends HistoryQuestion>(
    question: Q,
    needs: AsOf,
    deadlineMs: number,
    send: (message: ToChild) => void,
  ): Promise<AnswerTo<Q>> {
    if (this.waiting.size >= MOST_ASKED) {
      return Promise.reject(new PastRefusal('BUSY', `${MOST_ASKED} questions about the past are under way already.`));
    }
    const request = ++this.last;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(request);
        reject(new PastRefusal('BEHIND', `The process of the projection did not answer in time: ${this.standing()}.`));
      }, deadlineMs);
      const asked: Ask = { type: 'ask', request, question, needs, deadlineMs: deadlineMs * SHARE_OF_PROCESS };
      const tell = (message: Told): void => {
        clearTimeout(late);
        this.waiting.delete(request);
        if (message.type === 'answered') resolve(JSON.parse(message.answer) as AnswerTo<Q>);
        else reject(new PastRefusal(message.reason, message.message));
      };
      this.waiting.set(request, { asked, tell });
      send(asked);
    });
  }

  /** An answer to a question that nobody waits for any more is dropped. */
  settle(message: Told): void {
    this.waiting.get(message.request)?.tell(message);
  }

  /** To the process that follows on one which ended as it should. */
  askAgain(send: (message: ToChild) => void): void {
    for (const { asked } of this.waiting.values()) send(asked);
  }

  /** The process is gone, and with it all that was asked. */
  refuseAll(why: string): void {
    for (const request of [...this.waiting.keys()]) {
      const message = `The projection is paused: ${why}.`;
      this.settle({ type: 'notAnswered', request, reason: 'PAUSED', message });
    }
  }
}
