/** Pages of accounts, in the order of their handles. */
import { type LedgerReader } from '../ledger/reader';
import { faultOfResult, invalid, notFound, refusalInfo } from './errors';
import { isLedgerCode } from '../ledger/identifiers';
import { DEFAULT_PAGE_ITEMS, type Limits } from './limits';
import { type AccountState, stateOf } from './reads';

export interface PageRequest {
  /** 0: the default. */
  readonly size: number;
  readonly token: string;
  /** Only this ledger's; empty: all. */
  readonly ledger: string;
}

export interface AccountPage {
  readonly accounts: readonly AccountState[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

/** First byte of a page token, so that another format can be told from it. */
const TOKEN_VERSION = 1;

/** The faults of a page request that need no state. Returns the first handle of the page and its size. */
export function checkPage(page: PageRequest, limits: Limits): { from: number; size: number } {
  if (page.size > limits.pageItems) {
    const message = `A page has at most ${limits.pageItems} items, not ${page.size}.`;
    throw invalid('page_size', 'PAGE_TOO_LARGE', message);
  }
  if (page.ledger !== '' && !isLedgerCode(page.ledger)) {
    throw faultOfResult(refusalInfo('ledger_code_invalid'), 'ledger');
  }
  return {
    from: handleIn(page.token),
    size: page.size === 0 ? Math.min(DEFAULT_PAGE_ITEMS, limits.pageItems) : page.size,
  };
}

export function accountPage(reader: LedgerReader, page: PageRequest, from: number, size: number): AccountPage {
  if (page.ledger !== '' && reader.ledger(page.ledger) === undefined) {
    throw notFound('LEDGER_NOT_FOUND', `There is no ledger ${JSON.stringify(page.ledger)}.`);
  }
  const found = reader.accountsFrom(from, size + 1, page.ledger === '' ? undefined : page.ledger);
  const beyond = found[size];
  return {
    accounts: found.slice(0, size).map((account) => stateOf(reader, account)),
    nextToken: beyond === undefined ? '' : tokenOf(beyond.handle),
  };
}

function tokenOf(handle: number): string {
  const bytes = Buffer.alloc(9);
  bytes[0] = TOKEN_VERSION;
  bytes.writeBigUInt64BE(BigInt(handle), 1);
  return bytes.toString('base64url');
}

function handleIn(token: string): number {
  if (token === '') return 1;
  const bytes = token.length === 12 ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  const handle = bytes.length === 9 && bytes[0] === TOKEN_VERSION ? Number(bytes.readBigUInt64BE(1)) : 0;
  if (handle < 1 || !Number.isSafeInteger(handle)) {
    throw invalid('page_token', 'PAGE_TOKEN_INVALID', 'This is no page token of an earlier answer.');
  }
  return handle;
}
