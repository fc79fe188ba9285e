/**
 * node scripts/report-tests.mjs [--jest-status N] REPORT [FAILED_STEP…]
 *
 * Prints the closing line of ./scripts/test, `N passed, N failed, N skipped`, and exits 1 when anything failed. Failed
 * are: failed tests, test files that could not be run, each failed step named on the command line, and the run itself
 * where jest left no report or failed for a reason that its report does not show.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   numRuntimeErrorTestSuites: number }} JestReport
 */

/**
 * @param {string} path
 * @returns {JestReport | undefined} nothing when jest did not get as far as writing one
 */
function readReport(path) {
  const text = readFileSync(path, 'utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/**
 * @param {JestReport | undefined} report
 * @param {number} failedSteps
 * @param {number} jestStatus the exit status of jest
 */
function count(report, failedSteps, jestStatus) {
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const failedTests = (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0);
  const unexplained = failedTests === 0 && jestStatus !== 0 ? 1 : 0;
  return { passed, failed: failedTests + unexplained + failedSteps, skipped };
}

const { values, positionals } = parseArgs({
  options: { 'jest-status': { type: 'string', default: '0' } },
  allowPositionals: true,
});
const [path, ...failedSteps] = positionals;
if (path === undefined) throw new Error('report-tests: the path of a jest JSON report is missing.');

const { passed, failed, skipped } = count(readReport(path), failedSteps.length, Number(values['jest-status']));
for (const step of failedSteps) console.log(`failed step: ${step}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
