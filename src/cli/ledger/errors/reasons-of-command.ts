/**
 * Names that no node gives in answer to a call: of the command itself, of HTTP below any request, and of the transport alone;
 * rows of reasons.ts.
 */
import { type Row } from './row';

export const REASONS_OF_COMMAND: readonly Row[] = [
  [
    'MALFORMED_ROW',
    undefined,
    'A row of an import cannot be read, or is not what a transfer or an account can be. It was not sent, and no id was used.',
    'Mend the row as its message says, and import it again; the id may be used again.',
  ],
  [
    'ROWS_REFUSED',
    undefined,
    'The import is done, and some of its rows were refused; in a dry run: would be.',
    'Look at the file of refused rows: each has its own result, and a row of these tables.',
  ],
  [
    'INTERRUPTED',
    undefined,
    'The import was stopped before its end. What was under way has been answered.',
    'Go on with --resume, or import the whole file again: what was done is not done twice.',
  ],
  [
    'HTTP_INVALID',
    undefined,
    'What came to the HTTP port is no HTTP/1.1 (status 400), has too large headers (431) or chunks (413), or came too slowly (408).',
    'Mend the client, or what stands between it and the node. Nothing was done.',
  ],
];

const OTHER_SERVER = 'Look at what listens at `--addr`: no node answers like this.';

export const REASONS_OF_TRANSPORT: readonly Row[] = [
  [
    'RESOURCE_EXHAUSTED',
    'RESOURCE_EXHAUSTED',
    'A message is larger than the other side takes (4 MiB). A limit of the node has a name of its own.',
    'Send less, or ask for less, at once.',
  ],
  ['UNAUTHENTICATED', 'UNAUTHENTICATED', 'Something between this client and the node asks who it is.', OTHER_SERVER],
  ['PERMISSION_DENIED', 'PERMISSION_DENIED', 'Something between this client and the node refuses it.', OTHER_SERVER],
];
