/** `ledger.v1.Ledger`: ledgers, accounts, transfers, balances. */
import { type UntypedServiceImplementation } from '@grpc/grpc-js';
import { normaliseId, normaliseName } from '../../ledger/identifiers';
import {
  type CreateLedgersRequest,
  type CreateLedgersResponse,
  type CreateTransfersRequest,
  type CreateTransfersResponse,
  type DryRunRequest,
  type DryRunResponse,
  type GetAccountRequest,
  type GetAccountResponse,
  type GetBalanceRequest,
  type GetBalanceResponse,
  type GetBalancesRequest,
  type GetBalancesResponse,
  type GetProofRequest,
  type GetTransferRequest,
  type GetTransferResponse,
  type ListAccountsRequest,
  type ListAccountsResponse,
  type ListTransfersRequest,
  type OpenAccountsRequest,
  type OpenAccountsResponse,
  type UpdateAccountsRequest,
  type UpdateAccountsResponse,
} from '../../proto/ledger-v1';
import { type Int64 } from '../../proto/log-v1';
import { createLedgerCommand, openAccountCommand, updateAccountCommand } from '../account-item';
import { accountPage, checkPage } from '../account-pages';
import { type Budget } from '../deadline';
import { dryRun } from '../dry-run';
import { faultOfResult, invalid, notFound, refusalInfo } from '../errors';
import { accountNamed, readAt, stateOf } from '../reads';
import { checkCount, submitItems } from '../submit-items';
import { transferBatch } from '../transfer-batch';
import { type Caller } from '../transfer-writes';
import { type Door } from './door';
import { dryRunOut } from './dry-run-codec';
import { dryRunStream } from './dry-run-stream';
import {
  accountOut,
  balanceOut,
  consistencyIn,
  groupResult,
  itemResult,
  noBalance,
  openAccountResult,
  transferOut,
  transferResult,
} from './ledger-codec';
import { getPastBalance, listTransfers } from './past-calls';
import { getHead, getProof } from './proofs';
import { submitBatches } from './submit-batches';
import { watchBalancesStream } from './watch-balances';

export function ledgerService(door: Door): UntypedServiceImplementation {
  return {
    CreateLedgers: door.unary('CreateLedgers', (r: CreateLedgersRequest, budget) => createLedgers(door, r, budget)),
    OpenAccounts: door.unary('OpenAccounts', (r: OpenAccountsRequest, budget) => openAccounts(door, r, budget)),
    UpdateAccounts: door.unary('UpdateAccounts', (r: UpdateAccountsRequest, budget) => updateAccounts(door, r, budget)),
    CreateTransfers: door.unary('CreateTransfers', (r: CreateTransfersRequest, budget, subject) =>
      createTransfers(door, r, { budget, subject }),
    ),
    DryRun: door.unary('DryRun', (r: DryRunRequest, budget) => dryRunItems(door, r, budget)),
    DryRunStream: dryRunStream(door),
    GetAccount: door.unary('GetAccount', (r: GetAccountRequest, budget) => getAccount(door, r, budget)),
    GetBalance: door.unary('GetBalance', (r: GetBalanceRequest, budget) => getBalance(door, r, budget)),
    GetBalances: door.unary('GetBalances', (r: GetBalancesRequest, budget) => getBalances(door, r, budget)),
    GetTransfer: door.unary('GetTransfer', (r: GetTransferRequest, budget) => getTransfer(door, r, budget)),
    ListTransfers: door.unary('ListTransfers', (r: ListTransfersRequest, budget) => listTransfers(door, r, budget)),
    ListAccounts: door.unary('ListAccounts', (r: ListAccountsRequest, budget) => listAccounts(door, r, budget)),
    GetProof: door.unary('GetProof', (r: GetProofRequest, budget) => getProof(door, r, budget)),
    GetHead: door.unary('GetHead', () => getHead(door)),
    WatchBalances: watchBalancesStream(door),
    SubmitBatches: submitBatches(door),
  };
}

async function createLedgers(
  door: Door,
  request: CreateLedgersRequest,
  budget: Budget,
): Promise<CreateLedgersResponse<Int64>> {
  checkCount(request.ledgers.length, door.limits, 'ledgers');
  const commands = request.ledgers.map(createLedgerCommand);
  const { outcomes, position } = await submitItems(door.port, door.limits, commands, 'ledgers', budget);
  return { results: outcomes.map(itemResult), position };
}

async function openAccounts(
  door: Door,
  request: OpenAccountsRequest,
  budget: Budget,
): Promise<OpenAccountsResponse<Int64>> {
  checkCount(request.accounts.length, door.limits, 'accounts');
  const commands = request.accounts.map((spec) => openAccountCommand(spec, door.port.ledger));
  const { outcomes, position } = await submitItems(door.port, door.limits, commands, 'accounts', budget);
  return { results: outcomes.map(openAccountResult), position };
}

async function updateAccounts(
  door: Door,
  request: UpdateAccountsRequest,
  budget: Budget,
): Promise<UpdateAccountsResponse<Int64>> {
  checkCount(request.accounts.length, door.limits, 'accounts');
  const commands = request.accounts.map((update) => updateAccountCommand(update, door.port.ledger));
  const { outcomes, position } = await submitItems(door.port, door.limits, commands, 'accounts', budget);
  return { results: outcomes.map(itemResult), position };
}

async function createTransfers(
  door: Door,
  request: CreateTransfersRequest,
  caller: Caller,
): Promise<CreateTransfersResponse<Int64>> {
  checkCount(request.transfers.length, door.limits, 'transfers');
  const { commands, groups } = transferBatch(request.transfers, door.port.ledger);
  const { outcomes, position } = await door.transfers.submit(commands, 'transfers', caller);
  const results = outcomes.map(transferResult);
  return { results, position, groups: groups.map((group) => groupResult(group, outcomes)) };
}

async function dryRunItems(door: Door, request: DryRunRequest, budget: Budget): Promise<DryRunResponse<Int64>> {
  return dryRunOut(await dryRun(door.port, door.limits, request, consistencyIn(request.consistency), budget));
}

async function getAccount(door: Door, request: GetAccountRequest, budget: Budget): Promise<GetAccountResponse<Int64>> {
  const { value, position } = await readAt(door.port, consistencyIn(request.consistency), budget, (reader) =>
    accountNamed(reader, request.name, 'name'),
  );
  return { account: accountOut(value), balance: balanceOut(value), position };
}

async function getBalance(door: Door, request: GetBalanceRequest, budget: Budget): Promise<GetBalanceResponse<Int64>> {
  if (request.at !== null) return getPastBalance(door, request, request.at, budget);
  const { value, position } = await readAt(door.port, consistencyIn(request.consistency), budget, (reader) =>
    accountNamed(reader, request.account, 'account'),
  );
  return { balance: balanceOut(value), position };
}

async function getBalances(
  door: Door,
  request: GetBalancesRequest,
  budget: Budget,
): Promise<GetBalancesResponse<Int64>> {
  const names = request.accounts;
  if (names.length > door.limits.pageItems) {
    const message = `At most ${door.limits.pageItems} accounts can be asked for at once, not ${names.length}.`;
    throw invalid('accounts', 'PAGE_TOO_LARGE', message);
  }
  const { value, position } = await readAt(door.port, consistencyIn(request.consistency), budget, (reader) =>
    names.map((name) => {
      const account = reader.account(normaliseName(name) ?? '');
      return account === undefined ? noBalance(name) : balanceOut(stateOf(reader, account));
    }),
  );
  return { balances: value, position };
}

async function getTransfer(
  door: Door,
  request: GetTransferRequest,
  budget: Budget,
): Promise<GetTransferResponse<Int64>> {
  const id = normaliseId(request.id);
  if (id === undefined) throw faultOfResult(refusalInfo('id_invalid'), 'id');
  const { value, position } = await readAt(door.port, consistencyIn(request.consistency), budget, (reader) =>
    reader.transferById(id),
  );
  if (value === undefined)
    throw notFound('TRANSFER_NOT_FOUND', 'No transfer with this id was done or refused for good.');
  return { transfer: transferOut(value), position };
}

async function listAccounts(
  door: Door,
  request: ListAccountsRequest,
  budget: Budget,
): Promise<ListAccountsResponse<Int64>> {
  const page = {
    size: request.page_size,
    token: request.page_token,
    ledger: request.ledger,
    prefix: request.name_prefix,
  };
  const { from, size } = checkPage(page, door.limits);
  const { value, position } = await readAt(door.port, consistencyIn(request.consistency), budget, (reader) =>
    accountPage(reader, page, from, size),
  );
  const accounts = value.accounts.map((state) => ({
    account: accountOut(state),
    balance: balanceOut(state),
    position: null,
  }));
  return { accounts, next_page_token: value.nextToken, position };
}
