/** `/`: a page that shows the nodes and the accounts, for whoever opens the address in a browser. */
import { createHash } from 'node:crypto';
import { text } from './reply';
import { NO_PARAMETERS } from './query';
import { endpoint, type Methods } from './router';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
#fault { color: #a00; min-height: 1.5em; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818; } th, td { border-color: #444; } #fault { color: #f77; } }
`;

const SCRIPT = `
'use strict';
const byId = (id) => document.getElementById(id);
function fill(table, rows, numeric) {
  const body = document.createElement('tbody');
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, i) => {
      const cell = line.insertCell();
      cell.textContent = value === null ? '\\u2013' : String(value);
      if (numeric.includes(i)) cell.className = 'number';
    });
  }
  byId(table).tBodies[0].replaceWith(body);
}
async function get(path) {
  const response = await fetch(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}
async function refresh() {
  try {
    const cluster = await get('/api/v1/cluster');
    byId('node').textContent = cluster.node.name + ' \\u00b7 version ' + cluster.node.version + ' \\u00b7 cluster ' + cluster.cluster_id;
    fill('members', cluster.members.map((m) => [m.name, m.rpc_addr, m.suffrage, m.liveness, m.is_leader ? 'leader' : '']), []);
    fill('groups', cluster.groups.map((g) => [g.group, g.role, g.term, g.commit_index, g.applied_index, g.next_offset]), [0, 2, 3, 4, 5]);
    const page = await get('/api/v1/accounts?consistency=stale&page_size=1000');
    fill('accounts', page.accounts.map((a) => [a.name, a.ledger, a.balance.posted, a.balance.available, a.balance.version]), [2, 3, 4]);
    byId('more').textContent = page.next_page_token === '' ? '' : 'Only the first 1,000 accounts are shown.';
    byId('fault').textContent = '';
  } catch (error) {
    byId('fault').textContent = error.message;
  }
  setTimeout(refresh, 2000);
}
refresh();
`;

function table(id: string, columns: readonly string[]): string {
  const heads = columns.map(
    (column) => `<th${column.endsWith('#') ? ' class="number"' : ''}>${column.replace('#', '')}</th>`,
  );
  return `<table id="${id}"><thead><tr>${heads.join('')}</tr></thead><tbody></tbody></table>`;
}

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>ledger-node</title><style>${STYLE}</style></head>
<body>
<h1>ledger-node</h1>
<p id="node"></p>
<p id="fault" role="status"></p>
<h2>Nodes</h2>
${table('members', ['Name', 'Address', 'Suffrage', 'Liveness', ''])}
<h2>This node</h2>
${table('groups', ['Group#', 'Role', 'Term#', 'Committed#', 'Applied#', 'Next offset#'])}
<h2>Accounts</h2>
${table('accounts', ['Name', 'Ledger', 'Posted#', 'Available#', 'Version#'])}
<p id="more"></p>
<p><a href="/openapi.json">openapi.json</a> &middot; <a href="/metrics">metrics</a></p>
<script>${SCRIPT}</script>
</body>
</html>
`;

function sourceHash(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

/** Nothing but what is written above may run, and nothing may be asked but this server. */
const POLICY = [
  "default-src 'none'",
  `script-src ${sourceHash(SCRIPT)}`,
  `style-src ${sourceHash(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function consoleRoutes(): Record<string, Methods> {
  const headers = { 'Content-Security-Policy': POLICY, 'Referrer-Policy': 'no-referrer' };
  return { '/': { GET: endpoint(NO_PARAMETERS, () => text(PAGE, 'text/html; charset=utf-8', headers)) } };
}
