import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClientReason } from '../../../src/client';
import { explain, explainedNames } from '../../../src/cli/ledger/errors/explain';
import { SHAPE_ERRORS } from '../../../src/ledger/result-codes';
import { ledger } from './run-command';

const SOURCES = resolve(__dirname, '../../../src');
/** Where a reason is given: after the canonical code of an error, or after the field of an invalid request. */
const GIVEN = [
  /new (?:NodeError|Fault)\(\s*'[A-Z_]+',\s*'([A-Z_]+)'/g,
  /\binvalid\(\s*(?:'[^']*'|[\w.]+),\s*'([A-Z_]+)'/g,
  /\bnotFound\(\s*'([A-Z_]+)'/g,
  // Of the client and the command: after a canonical code, alone, or as the result of a row or the code of an answer.
  /new LedgerError\(\s*'[A-Z_]+',\s*'([A-Z_]+)'/g,
  /new Refused\(\s*'([a-z_]+)'/g,
  /\b(?:result|code): '([a-z_]+)'/g,
];
/** Values of such fields that are no names of results or reasons: zod's own code, and a field that is named so. */
const OTHER: ReadonlySet<string> = new Set(['custom', 'code']);

function reasonsIn(folder: string): Set<string> {
  const found = new Set<string>();
  for (const entry of readdirSync(join(SOURCES, folder), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const source = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const pattern of GIVEN)
      for (const [, reason] of source.matchAll(pattern)) if (!OTHER.has(reason!)) found.add(reason!);
  }
  return found;
}

describe('ledger errors', () => {
  test('explains every reason that the node and its doors give', () => {
    const reasons = new Set([...reasonsIn('api'), ...reasonsIn('node')]);
    expect(reasons.size).toBeGreaterThan(20);
    expect([...reasons].filter((reason) => explain(reason) === undefined)).toEqual([]);
  });

  test('explains every name that the command and the client give of their own', () => {
    const own = [...reasonsIn('cli'), ...reasonsIn('client')];
    expect(own).toEqual(expect.arrayContaining(['malformed_row', 'rows_refused', 'interrupted', 'MALFORMED_ANSWER']));
    expect(reasonsIn('api')).toContain('http_invalid');
    expect(own.filter((reason) => explain(reason) === undefined)).toEqual([]);
  });

  // What grpc-js ends a call with by itself, with no word of a server of this product (docs of its HTTP status mapping).
  test.each(['RESOURCE_EXHAUSTED', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'UNIMPLEMENTED'])(
    'explains %s, which the transport says alone',
    (code) => expect(explain(code)).toMatchObject({ grpc: code, burnsId: undefined }),
  );

  test('explains what no call answers without a code of gRPC', async () => {
    const { stdout } = await ledger(['errors', 'rows_refused']);
    expect(stdout).toMatch(/gRPC +-\n/);
    const [found] = (await ledger(['errors', 'http_invalid', '--output', 'json'])).json();
    expect(found).toMatchObject({ name: 'http_invalid', grpc: null, http: null, burnsId: null });
  });

  test('explains every reason of the client and every fault of shape', () => {
    const names = [
      ...Object.values(ClientReason).filter((name) => name !== 'INVALID_ARGUMENT'),
      ...Object.keys(SHAPE_ERRORS),
    ];
    expect(names.filter((name) => explain(name) === undefined)).toEqual([]);
  });

  test('says what it means, whether the id is spent, and what to do', async () => {
    const { exitCode, stdout } = await ledger(['errors', 'INSUFFICIENT_FUNDS']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/name +insufficient_funds\n/);
    expect(stdout).toMatch(/burns the id +yes\n/);
    expect(stdout).toMatch(/gRPC +FAILED_PRECONDITION\n/);
    expect(stdout).toMatch(/do +This id is spent/);
  });

  test('is JSON where that is asked for', async () => {
    const [found] = (await ledger(['errors', 'outcome_unknown', '--output', 'json'])).json();
    expect(found).toMatchObject({ name: 'outcome_unknown', grpc: 'UNAVAILABLE', http: null, burnsId: null });
  });

  test('lists all of them, each once', async () => {
    const [list] = (await ledger(['--output', 'json', 'errors'])).json();
    const names = (list!['errors'] as { name: string }[]).map((one) => one.name);
    expect(names).toEqual(explainedNames());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['ok', 'overflow', 'id_invalid', 'no_leader']));
  });
});
