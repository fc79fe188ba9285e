/** `log.v1.Log.ConsumeStream`: records from an offset on, for ever, all of them or those that a filter lets through. */
import { type ConsumeRequest, type ConsumeResponseOut } from '../../proto/log-v1';
import { type FeedItem, recordFeed } from '../follow/record-feed';
import { RecordFilter } from '../follow/record-filter';
import { type Door } from './door';
import { type FollowerCall, followerStream, writeTo } from './follower-stream';
import { offsetOf, recordOut } from './record-codec';

export function consumeStream(door: Door): (call: FollowerCall<ConsumeRequest, ConsumeResponseOut>) => void {
  return followerStream(door, 'ConsumeStream', async (request, call, signal) => {
    const filter = request.filter === null ? undefined : new RecordFilter(request.filter, door.limits);
    call.sendMetadata(door.leaderMetadata());
    const { port } = door;
    const budget = () => door.stepBudget(call);
    for await (const item of recordFeed(offsetOf(request.offset), { port, filter, budget, signal })) {
      // Without a filter the records themselves say how far they are; who knows no other answers gets none.
      if (filter || item.record) await writeTo(call, answerOf(item, filter !== undefined), signal);
    }
  });
}

function answerOf({ record, nextOffset }: FeedItem, filtered: boolean): ConsumeResponseOut {
  return { ...(record && { record: recordOut(record) }), ...(filtered && { next_offset: nextOffset }) };
}
