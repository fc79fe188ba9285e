import { once } from 'node:events';
import type { Command } from 'commander';
import { decodeLedgerRecord } from '../../client';
import { NodeFiles } from '../../log/node-files';
import { OptionError } from '../../node/config/units';
import { type DumpedEntry, type DumpedRecord, type DumpItem, dumpLog } from '../../offline/dump';
import { withDirectory } from '../../offline/locked-directory';
import { timeText } from '../ledger/output';
import { LEDGER_RECORD, recordJson } from '../record-json';
import { Printer } from './printer';

const DAMAGED = 1;
const KINDS = ['records', 'no-op', 'configuration', 'system', 'version'];
/** Of a producer's value on one line for people; JSON has all of it. */
const MAX_VALUE_CHARACTERS = 200;

interface DumpCommandOptions {
  readonly dataDir: string;
  readonly from: number;
  readonly json: boolean;
}

export function addDumpCommand(program: Command): void {
  program
    .command('dump')
    .description('print the log of a stopped node: every batch and record, with its outcome; changes nothing')
    .requiredOption('--data-dir <DIR>', 'the data directory')
    .option('--from <OFFSET>', 'first offset', offsetOf, 0)
    .option('--json', 'one JSON document a line', false)
    .action(async ({ dataDir, from, json }: DumpCommandOptions) => {
      const printer = new Printer(json);
      await withDirectory(dataDir, async () => {
        for await (const item of dumpLog({ dataDir, from, files: new NodeFiles() })) {
          print(printer, item);
          if (item.kind === 'damage') process.exitCode = DAMAGED;
          // Whoever reads may be slower than the disk: what waits in between is bounded.
          if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
        }
      });
      printer.end();
    });
}

function offsetOf(value: string): number {
  const offset = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(offset)) return offset;
  throw new OptionError(`--from: "${value}" is not an offset, a whole number from 0 on`);
}

function print(printer: Printer, item: DumpItem): void {
  switch (item.kind) {
    case 'segment':
      return printer.say({ type: 'segment', file: item.path }, `segment ${item.path}`);
    case 'entry':
      return printEntry(printer, item);
    case 'record':
      return printRecord(printer, item);
    default:
      return printer.finding(item);
  }
}

function printEntry(printer: Printer, { header, file, position, configuration, version }: DumpedEntry): void {
  const { index, term, baseOffset, count, time, commitIndex, length, hash } = header;
  const kind = KINDS[header.kind] ?? String(header.kind);
  const what = [
    `entry ${index} term ${term} ${timeText(time)} ${kind}`,
    ...(count > 0 ? [`offsets ${baseOffset} to ${baseOffset + count - 1}`] : []),
    `committed ${commitIndex}`,
    `${length} bytes at ${position}`,
    ...(configuration ? [JSON.stringify(configuration)] : []),
    ...(version === undefined ? [] : [`rules ${version}`]),
  ];
  const fields = { index, term, kind, baseOffset, count, time, commitIndex, file, position, bytes: length };
  printer.say({ type: 'entry', ...fields, hash: hash.toString('hex'), configuration, version }, what.join('  '));
}

function printRecord(printer: Printer, { index, offset, type, value }: DumpedRecord): void {
  const place = offset === undefined ? 'system' : String(offset);
  const document = { type: 'record', offset, index, recordType: type, ...recordJson(type, value) };
  printer.say(document, `  ${place.padStart(8)}  ${type === LEDGER_RECORD ? ledgerText(value) : valueText(value)}`);
}

function ledgerText(value: Buffer): string {
  const { command, fields, outcome } = decodeLedgerRecord(value);
  return `${command} ${pairs(fields)}${outcome ? `  →  ${pairs(outcome)}` : ''}`;
}

/** What is empty says nothing: a transfer has a dozen fields, and few are used. */
function pairs(fields: Readonly<Record<string, string | number | boolean>>): string {
  const said = Object.entries(fields).filter(([, value]) => value !== '' && value !== false && value !== '0');
  return said.map(([name, value]) => `${name}=${typeof value === 'string' ? JSON.stringify(value) : value}`).join(' ');
}

function valueText(value: Buffer): string {
  const text = JSON.stringify(value.toString('utf8', 0, 4 * MAX_VALUE_CHARACTERS));
  const cut = value.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}… ` : `${text} `;
  return `${cut}(${value.length} bytes)`;
}
