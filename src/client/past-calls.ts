/** Lists and statements of the past: what goes out and what comes back. */
import * as wire from '../proto/ledger-v1';
import { type Int64 } from '../proto/log-v1';
import { checkedUInt32, checkedUInt64 } from './batch-codec';
import { type ListedTransfer, type ListTransfersOptions, type PointInTime, type TransferPage } from './past-types';
import { balanceView, positionOf, transferView } from './wire-views';

export function pointOut(at: PointInTime): Partial<wire.PointInTime<Int64>> {
  if ('offset' in at) return { offset: String(checkedUInt64(at.offset, 'at.offset')) };
  return { time: String(checkedUInt64(at.time, 'at.time')), by: basisOut(at.by) };
}

export function listRequest(
  options: ListTransfersOptions,
): Omit<Partial<wire.ListTransfersRequest<Int64>>, 'consistency'> {
  const { account = '', side, ids = [], ledger = '', kinds = [], results = [], codes = [] } = options;
  const { minAmount = '', maxAmount = '', by, pageSize = 0, pageToken = '' } = options;
  const number = (name: string, value: number | undefined): object =>
    value === undefined ? {} : { [name]: String(checkedUInt64(value, name)) };
  return {
    ...{ account, ids: [...ids], ledger, kinds: [...kinds], results: [...results] },
    side: side === undefined ? wire.Side.ANY : side === 'debit' ? wire.Side.DEBIT : wire.Side.CREDIT,
    codes: codes.map((code) => checkedUInt32(code, 'codes')),
    ...{ min_amount: minAmount, max_amount: maxAmount, by: basisOut(by), page_size: pageSize, page_token: pageToken },
    ...number('from_offset', options.fromOffset),
    ...number('to_offset', options.toOffset),
    ...number('from_time', options.fromTime),
    ...number('to_time', options.toTime),
  };
}

export function transferPage(response: wire.ListTransfersResponse): TransferPage {
  const { transfers, opening, closing } = response;
  return {
    transfers: transfers.map(listedTransfer),
    nextPageToken: response.next_page_token,
    position: positionOf(response.position),
    opening: opening === null ? undefined : balanceView(opening),
    closing: closing === null ? undefined : balanceView(closing),
  };
}

function listedTransfer({ transfer, entry }: wire.ListedTransfer): ListedTransfer {
  return {
    ...transferView(transfer),
    entry:
      entry === null
        ? undefined
        : {
            side: entry.side === wire.Side.DEBIT ? 'debit' : 'credit',
            ...{ change: entry.change, pendingChange: entry.pending_change, balance: entry.balance },
          },
  };
}

function basisOut(by: 'posting' | 'effective' | undefined): number {
  return by === 'effective' ? wire.TimeBasis.BY_EFFECT : wire.TimeBasis.BY_POSTING;
}
