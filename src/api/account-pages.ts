/** Pages of accounts, in the order of their handles. */
import { createHash } from 'node:crypto';
import { type AccountView, type LedgerReader } from '../ledger/reader';
import { faultOfResult, invalid, notFound, refusalInfo } from './errors';
import { isLedgerCode, NAME_MAX_BYTES } from '../ledger/identifiers';
import { DEFAULT_PAGE_ITEMS, type Limits } from './limits';
import { type AccountState, stateOf } from './reads';

export interface PageRequest {
  /** 0: the default. */
  readonly size: number;
  readonly token: string;
  /** Only this ledger's; empty: all. */
  readonly ledger: string;
  /** Only names that begin with it; empty: all. */
  readonly prefix: string;
}

export interface AccountPage {
  readonly accounts: readonly AccountState[];
  /** Empty on the last page. */
  readonly nextToken: string;
}

/** Accounts that a page with a prefix looks at in all, and at a time. */
const MOST_LOOKED_AT = 20_000;
const LOOK = 1_000;

/**
 * A page token: u8 version, u64 handle that the page begins with, and 8 bytes of SHA-256 of the filters, so that it is not used
 * with others: it would leave out what stands before it there.
 */
const TOKEN_VERSION = 2;
const TOKEN_BYTES = 17;
const DIGEST_AT = 9;

/** The faults of a page request that need no state. Returns the first handle of the page and its size. */
export function checkPage(page: PageRequest, limits: Limits): { from: number; size: number } {
  if (page.size > limits.pageItems) {
    const message = `A page has at most ${limits.pageItems} items, not ${page.size}.`;
    throw invalid('page_size', 'PAGE_TOO_LARGE', message);
  }
  if (page.ledger !== '' && !isLedgerCode(page.ledger)) {
    throw faultOfResult(refusalInfo('ledger_code_invalid'), 'ledger');
  }
  if (Buffer.byteLength(page.prefix) > NAME_MAX_BYTES) {
    throw invalid('name_prefix', 'FILTER_INVALID', `A prefix of names has at most ${NAME_MAX_BYTES} bytes.`);
  }
  return {
    from: handleIn(page),
    size: page.size === 0 ? Math.min(DEFAULT_PAGE_ITEMS, limits.pageItems) : page.size,
  };
}

export function accountPage(reader: LedgerReader, page: PageRequest, from: number, size: number): AccountPage {
  if (page.ledger !== '' && reader.ledger(page.ledger) === undefined) {
    throw notFound('LEDGER_NOT_FOUND', `There is no ledger ${JSON.stringify(page.ledger)}.`);
  }
  const ledger = page.ledger === '' ? undefined : page.ledger;
  const { found, next } =
    page.prefix === '' ? run(reader, from, size, ledger) : named(reader, from, size, page, ledger);
  return {
    accounts: found.map((account) => stateOf(reader, account)),
    nextToken: next === undefined ? '' : tokenOf(next, page),
  };
}

interface Run {
  readonly found: readonly AccountView[];
  /** The handle that the next one begins with. */
  readonly next: number | undefined;
}

function run(reader: LedgerReader, from: number, size: number, ledger: string | undefined): Run {
  const found = reader.accountsFrom(from, size + 1, ledger);
  return { found: found.slice(0, size), next: found[size]?.handle };
}

/** Looks at so many accounts and no more: a prefix that few have must not hold up the node. */
function named(
  reader: LedgerReader,
  from: number,
  size: number,
  { prefix }: PageRequest,
  ledger: string | undefined,
): Run {
  const found: AccountView[] = [];
  let next: number | undefined = from;
  for (let looked = 0; looked < MOST_LOOKED_AT && next !== undefined; looked += LOOK) {
    const part: Run = run(reader, next, LOOK, ledger);
    for (const account of part.found) {
      if (!account.name.startsWith(prefix)) continue;
      if (found.length === size) return { found, next: account.handle };
      found.push(account);
    }
    ({ next } = part);
  }
  return { found, next };
}

function tokenOf(handle: number, page: PageRequest): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  bytes[0] = TOKEN_VERSION;
  bytes.writeBigUInt64BE(BigInt(handle), 1);
  digestOf(page).copy(bytes, DIGEST_AT);
  return bytes.toString('base64url');
}

function handleIn(page: PageRequest): number {
  const { token } = page;
  if (token === '') return 1;
  const bytes = token.length === Math.ceil((TOKEN_BYTES * 4) / 3) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  const handle = bytes.length === TOKEN_BYTES && bytes[0] === TOKEN_VERSION ? Number(bytes.readBigUInt64BE(1)) : 0;
  if (handle < 1 || !Number.isSafeInteger(handle)) {
    throw invalid('page_token', 'PAGE_TOKEN_INVALID', 'This is no page token of an earlier answer.');
  }
  if (bytes.subarray(DIGEST_AT).equals(digestOf(page))) return handle;
  const message = 'The page token belongs to a list with other filters; ask for its first page.';
  throw invalid('page_token', 'PAGE_TOKEN_INVALID', message);
}

function digestOf({ ledger, prefix }: PageRequest): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([ledger, prefix]))
    .digest()
    .subarray(0, 8);
}
