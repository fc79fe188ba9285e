/** The schemas of openapi.ts. */

const TEXT = { type: 'string' };
const DECIMAL = { type: 'string', pattern: '^-?\\d+(\\.\\d+)?$', description: "Decimal text at the ledger's scale." };
const DECIMAL_OR_NULL = { type: ['string', 'null'], description: 'Decimal text; null: no limit.' };
const OFFSET = {
  type: 'integer',
  description: 'Offset of the last record that the answer reflects; -1 before the first.',
};
const TOKEN = { type: 'string', description: 'Opaque; makes a later read, on any node, at least this new.' };
const MICROSECONDS = { type: 'integer', description: 'Microseconds since the Unix epoch.' };
const UUID = { type: 'string', description: 'A UUID; canonical in answers: lower case with hyphens.' };
const USER_DATA = { type: 'string', description: '64 bits without a sign, as decimal text.' };
const METADATA = { type: 'string', contentEncoding: 'base64', description: 'At most 1 KiB.' };

function object(properties: Readonly<Record<string, object>>, required?: readonly string[]): object {
  return { type: 'object', properties, required: required ?? Object.keys(properties) };
}

function ref(name: string): object {
  return { $ref: `#/components/schemas/${name}` };
}

const NUMBER = { type: 'integer' };

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
};

const TRANSFER = { request_id: UUID, from: TEXT, amount: DECIMAL, to: TEXT };

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

export const SCHEMAS: Readonly<Record<string, object>> = {
  Error: object({
    message: { type: 'string', description: 'One sentence for people.' },
    code: { type: 'string', description: "The fault's or the result's name, lower snake case." },
  }),
  Status: object(
    { status: { type: 'string', enum: ['ok', 'unavailable'] }, message: TEXT, code: TEXT, warning: TEXT },
    ['status'],
  ),
  TransferRequest: object(
    {
      request_id: { type: 'string', description: 'A UUID in any spelling; makes the request safe to repeat.' },
      from: { type: 'string', description: 'Name of the account that pays.' },
      to: { type: 'string', description: 'Name of the account that is paid.' },
      amount: { type: 'string', description: 'Decimal text, never a JSON number.' },
      ledger: { type: 'string', default: 'USD' },
    },
    ['request_id', 'from', 'to', 'amount'],
  ),
  Transfer: object(TRANSFER),
  TransferView: object({
    ...TRANSFER,
    ledger: { type: ['string', 'null'] },
    result: TEXT,
    amount_moved: { type: ['string', 'null'] },
    code: NUMBER,
    user_data: USER_DATA,
    metadata: METADATA,
    offset: { type: 'integer', description: "The transfer's own offset in the log." },
    timestamp: MICROSECONDS,
    as_of: object({ token: TOKEN, offset: OFFSET }),
  }),
  AccountRequest: object(
    {
      name: { type: 'string', description: '1 to 128 bytes; unique in the cluster.' },
      ledger: { type: 'string', default: 'USD' },
      min_balance: { type: 'string', description: "At most zero. Left out: the ledger's default." },
      no_min_balance: { type: 'boolean', default: false, description: 'No lower limit at all.' },
      max_balance: { type: 'string', description: "At least zero. Left out: the ledger's default." },
      user_data: USER_DATA,
      metadata: METADATA,
    },
    ['name'],
  ),
  Account: object({ ...ACCOUNT, offset: OFFSET, token: TOKEN }),
  AccountPage: object({
    accounts: { type: 'array', items: object(ACCOUNT) },
    next_page_token: { type: 'string', description: 'Empty on the last page.' },
    offset: OFFSET,
    token: TOKEN,
  }),
  BalanceDetails: object({
    posted: DECIMAL,
    available: DECIMAL_OR_NULL,
    debits_posted: DECIMAL,
    credits_posted: DECIMAL,
    debits_pending: DECIMAL,
    credits_pending: DECIMAL,
    version: { type: 'integer', description: 'Counts the changes of this balance.' },
  }),
  Balance: object({
    account: TEXT,
    ledger: TEXT,
    posted: DECIMAL,
    available: DECIMAL_OR_NULL,
    offset: OFFSET,
    token: TOKEN,
  }),
  Cluster: object({
    cluster_id: TEXT,
    node: object({ name: TEXT, id: TEXT, version: TEXT }),
    leader: { type: ['string', 'null'] },
    members: { type: 'array', items: MEMBER },
    groups: { type: 'array', items: GROUP },
    projection: object({ state: TEXT, lag_records: NUMBER }),
    disk: object({ full: { type: 'boolean' }, free_bytes: NUMBER }),
  }),
};
