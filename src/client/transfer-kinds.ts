import { FollowCalls } from './follow-calls';
import { type CallOptions, type FollowingInput, type TransferInput, type TransferOutcome } from './types';

/** Transfers that are not simply done at once, in words of their own: a part of every client. */
export abstract class TransferKinds extends FollowCalls {
  abstract transfer(transfer: TransferInput, options?: CallOptions): Promise<TransferOutcome>;

  /** Holds the amount, to be posted or voided; with `timeoutMs` it expires by itself. */
  hold(transfer: Omit<TransferInput, 'kind' | 'pendingId'>, options: CallOptions = {}): Promise<TransferOutcome> {
    return this.transfer({ ...transfer, kind: 'pending' }, options);
  }

  /** Posts the hold of a pending transfer: `amount`, or all of it. What is not posted is let go. */
  post(pendingId: string, transfer: FollowingInput = {}, options: CallOptions = {}): Promise<TransferOutcome> {
    return this.transfer({ ...transfer, kind: 'post', pendingId }, options);
  }

  /** Lets go of the hold of a pending transfer. */
  void(
    pendingId: string,
    transfer: Omit<FollowingInput, 'amount'> = {},
    options: CallOptions = {},
  ): Promise<TransferOutcome> {
    return this.transfer({ ...transfer, kind: 'void', pendingId }, options);
  }

  /** Sends back what a transfer moved: `amount`, or all of it. */
  reverse(id: string, transfer: FollowingInput = {}, options: CallOptions = {}): Promise<TransferOutcome> {
    return this.transfer({ ...transfer, reverses: id }, options);
  }
}
