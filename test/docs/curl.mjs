// As much of curl as the documentation uses, for machines that have none.
import { request } from 'node:http';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    include: { type: 'boolean', short: 'i' },
    silent: { type: 'boolean', short: 's' },
    request: { type: 'string', short: 'X', default: 'GET' },
    data: { type: 'string', short: 'd' },
  },
});
const [url] = positionals;
if (url === undefined || positionals.length > 1) throw new Error(`One URL is expected, not ${positionals.length}.`);

const outgoing = request(url, { method: values.request }, (response) => {
  if (values.include) {
    console.log(`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`);
    for (let at = 0; at < response.rawHeaders.length; at += 2) {
      console.log(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`);
    }
    console.log();
  }
  response.pipe(process.stdout);
});
outgoing.end(values.data);
