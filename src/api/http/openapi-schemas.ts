/** The schemas of openapi.ts. */
import { PAST_BALANCE, PAST_SCHEMAS } from './openapi-past-schemas';
import { LEDGER_SCHEMAS } from './openapi-ledgers';
import { TRANSFER_SCHEMAS } from './openapi-transfer-schemas';
import {
  DECIMAL,
  DECIMAL_OR_NULL,
  METADATA,
  MICROSECONDS,
  MICROSECONDS_OR_NULL,
  NUMBER,
  object,
  OFFSET,
  ref,
  request,
  TEXT,
  TOKEN,
  USER_DATA,
} from './openapi-types';

const TEXT_OR_NULL = { type: ['string', 'null'] };
const LIMIT_CHANGE = "Decimal text; `default`: the ledger's; null: no limit; left out: as it is.";

const ACCOUNT = {
  name: TEXT,
  ledger: TEXT,
  handle: { type: 'string', description: 'The 64-bit handle, as decimal text; for packed rows.' },
  balance: ref('BalanceDetails'),
  min_balance: DECIMAL_OR_NULL,
  max_balance: DECIMAL_OR_NULL,
  closed: { type: 'boolean' },
  user_data: USER_DATA,
  metadata: METADATA,
  opened_at: MICROSECONDS,
  imported_time: MICROSECONDS_OR_NULL,
};

const BALANCE_DETAILS = {
  posted: DECIMAL,
  available: DECIMAL_OR_NULL,
  debits_posted: DECIMAL,
  credits_posted: DECIMAL,
  debits_pending: DECIMAL,
  credits_pending: DECIMAL,
  version: { type: 'integer', description: 'Counts the changes of this balance.' },
};

const MEMBER = object({
  name: TEXT,
  node_id: TEXT,
  rpc_addr: TEXT,
  gossip_addr: TEXT,
  suffrage: { type: 'string', enum: ['voter', 'learner', 'none'] },
  liveness: { type: 'string', enum: ['alive', 'suspect', 'failed', 'left', 'unknown'] },
  is_leader: { type: 'boolean' },
});

const GROUP = object({
  group: NUMBER,
  role: TEXT,
  term: NUMBER,
  leader: { type: ['string', 'null'] },
  first_index: NUMBER,
  last_index: NUMBER,
  commit_index: NUMBER,
  applied_index: NUMBER,
  snapshot_index: NUMBER,
  next_offset: NUMBER,
  rules_version: NUMBER,
  rules_known: NUMBER,
});

const HEAD = object({
  cluster: TEXT,
  group: NUMBER,
  node: TEXT,
  size: { type: 'integer', description: 'Entries 1 to size of the log are under the root.' },
  root: TEXT,
  offset: OFFSET,
  time: NUMBER,
  publicKey: TEXT,
  signature: TEXT,
});

export const SCHEMAS: Readonly<Record<string, object>> = {
  ...TRANSFER_SCHEMAS,
  ...LEDGER_SCHEMAS,
  Error: object({
    message: { type: 'string', description: 'One sentence for people.' },
    code: { type: 'string', description: "The fault's or the result's name, lower snake case." },
  }),
  Status: object(
    { status: { type: 'string', enum: ['ok', 'unavailable'] }, message: TEXT, code: TEXT, warning: TEXT },
    ['status'],
  ),
  AccountRequest: request(
    {
      name: { type: 'string', description: '1 to 128 bytes; unique in the cluster.' },
      ledger: { type: 'string', default: 'USD' },
      min_balance: {
        type: ['string', 'null'],
        description: "At most zero; null: no limit. Left out: the ledger's default.",
      },
      no_min_balance: {
        type: 'boolean',
        default: false,
        description: 'No lower limit at all, as `min_balance: null`.',
      },
      max_balance: {
        type: ['string', 'null'],
        description: "At least zero; null: no limit. Left out: the ledger's default.",
      },
      user_data: USER_DATA,
      metadata: METADATA,
      imported_time: { ...MICROSECONDS, description: 'Import of history: when it was opened in other books.' },
    },
    ['name'],
  ),
  AccountUpdate: request(
    {
      closed: { type: 'boolean', description: 'true closes the account, false opens it again.' },
      min_balance: { type: ['string', 'null'], description: LIMIT_CHANGE },
      max_balance: { type: ['string', 'null'], description: LIMIT_CHANGE },
    },
    [],
  ),
  Account: object({ ...ACCOUNT, offset: OFFSET, token: TOKEN }),
  AccountPage: object({
    accounts: { type: 'array', items: object(ACCOUNT) },
    next_page_token: { type: 'string', description: 'Empty on the last page.' },
    offset: OFFSET,
    token: TOKEN,
  }),
  BalanceDetails: object(BALANCE_DETAILS),
  Balances: object({
    balances: {
      type: 'array',
      items: object({
        ...{ account: TEXT, ledger: TEXT_OR_NULL, posted: DECIMAL_OR_NULL, available: DECIMAL_OR_NULL },
        ...{ debits_posted: DECIMAL_OR_NULL, credits_posted: DECIMAL_OR_NULL },
        ...{ debits_pending: DECIMAL_OR_NULL, credits_pending: DECIMAL_OR_NULL, version: NUMBER },
      }),
      description: 'In the order of the question; of an account that is not there all is null.',
    },
    offset: OFFSET,
    token: TOKEN,
  }),
  NamedBalance: object({ account: TEXT, ledger: TEXT, ...BALANCE_DETAILS }),
  Balance: object({ account: TEXT, ledger: TEXT, ...PAST_BALANCE, offset: OFFSET, token: TOKEN }, [
    'account',
    'ledger',
    'posted',
    'available',
    'offset',
    'token',
  ]),
  ...PAST_SCHEMAS,
  Head: HEAD,
  Proof: object({
    format: TEXT,
    id: TEXT,
    record: { type: 'integer', description: 'Place of the record in the batch.' },
    batch: { type: 'string', description: 'Base64: the batch as it is in the log.' },
    outcomes: { type: 'string', description: 'Base64: 64 bytes for each record of the batch.' },
    path: { type: 'array', items: TEXT, description: 'Hashes from the leaf of the batch to the root.' },
    head: HEAD,
  }),
  Cluster: object({
    cluster_id: TEXT,
    node: object({ name: TEXT, id: TEXT, version: TEXT, public_key: { type: ['string', 'null'] } }),
    leader: { type: ['string', 'null'] },
    members: { type: 'array', items: MEMBER },
    groups: { type: 'array', items: GROUP },
    projection: object({ state: TEXT, lag_records: NUMBER }),
    disk: object({ full: { type: 'boolean' }, free_bytes: NUMBER }),
  }),
};
