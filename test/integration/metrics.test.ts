import { randomUUID } from 'node:crypto';
import { DevNode } from './dev-node';

/** The samples of one scrape, by name and labels. */
type Samples = ReadonlyMap<string, number>;

describe('the metrics of a running node', () => {
  let node: DevNode;
  beforeAll(async () => {
    node = await DevNode.start();
  });
  afterAll(async () => {
    expect(await node.stop()).toBe(0);
  });

  async function scrape(): Promise<Samples> {
    const { status, body } = await node.http('GET', '/metrics');
    expect(status).toBe(200);
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }
  const valueOf = (samples: Samples, name: string): number => {
    const value = samples.get(name);
    if (value === undefined || Number.isNaN(value)) throw new Error(`There is no number ${name} among the metrics.`);
    return value;
  };

  test('all that the contract names are there, as Prometheus reads them', async () => {
    const response = await fetch(`http://127.0.0.1:${node.httpPort}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    await response.text();
    const samples = await scrape();
    for (const name of [
      'ledger_log_fsyncs_total{group="0"}',
      'ledger_log_batches_total{group="0"}',
      'ledger_raft_term{group="0"}',
      'ledger_raft_commit_index{group="0"}',
      'ledger_raft_applied_index{group="0"}',
      'ledger_transfers_total{result="ok"}',
      'ledger_projection_lag_records',
    ]) {
      expect(valueOf(samples, name)).toBeGreaterThanOrEqual(0);
    }
    expect(valueOf(samples, 'ledger_raft_is_leader{group="0"}')).toBe(1);
    expect(valueOf(samples, 'ledger_raft_term{group="0"}')).toBeGreaterThan(0);
  });

  test('they count what was done, each thing once', async () => {
    const before = await scrape();
    for (let at = 0; at < 3; at += 1) await node.pay();
    const id = randomUUID();
    const pay = (to: string): Promise<{ status: number }> => {
      const body = JSON.stringify({ from: 'Alice', to, amount: '0.01', request_id: id });
      return node.http('POST', '/api/v1/transfers', body);
    };
    expect([(await pay('Carol')).status, (await pay('Carol')).status, (await pay('Dave')).status]).toEqual([
      201, 201, 409,
    ]);
    const after = await scrape();
    const grown = (name: string): number => valueOf(after, name) - (before.get(name) ?? 0);
    expect(grown('ledger_log_next_offset{group="0"}')).toBe(6);
    expect(grown('ledger_transfers_total{result="ok"}')).toBe(4);
    expect(grown('ledger_transfers_total{result="exists_with_different_credit_account"}')).toBe(1);
    // Alice, Bob and Carol; Dave was never paid.
    expect(valueOf(after, 'ledger_accounts')).toBe(3);
    for (const name of ['ledger_log_batches_total', 'ledger_raft_commit_index', 'ledger_raft_last_index']) {
      expect(grown(`${name}{group="0"}`)).toBe(6);
    }
    expect(grown('ledger_log_fsyncs_total{group="0"}')).toBeGreaterThanOrEqual(6);
    const index = valueOf(after, 'ledger_raft_commit_index{group="0"}');
    expect(valueOf(after, 'ledger_raft_applied_index{group="0"}')).toBe(index);
  });

  test('writes that arrive together share batches and fsyncs', async () => {
    const before = await scrape();
    const bodies = Array.from({ length: 200 }, () =>
      JSON.stringify({ from: 'Alice', to: 'Erin', amount: '0.01', request_id: randomUUID() }),
    );
    const answers = await Promise.all(bodies.map((body) => node.http('POST', '/api/v1/transfers', body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const after = await scrape();
    const grown = (name: string): number => valueOf(after, name) - valueOf(before, name);
    expect(grown('ledger_transfers_total{result="ok"}')).toBe(200);
    expect(grown('ledger_log_batches_total{group="0"}')).toBeLessThan(200);
    expect(grown('ledger_log_fsyncs_total{group="0"}')).toBeLessThanOrEqual(
      grown('ledger_log_batches_total{group="0"}'),
    );
  });
});
