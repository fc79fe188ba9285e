/** Every option of `ledger-node`: one table gives the flags, the environment variables, the configuration file's keys and the help text. */

export interface OptionSpec {
  /** Flag without dashes; the key in the configuration file; upper case with underscores, the environment variable. */
  readonly name: string;
  readonly kind: 'switch' | 'value';
  /** Placeholder in the help text. */
  readonly placeholder?: string;
  readonly default?: string;
  readonly help: string;
  /** What makes it refused today: accepted without effect it would promise what is not there. */
  readonly notBuilt?: string;
}

const value = (name: string, placeholder: string, help: string, rest: Partial<OptionSpec> = {}): OptionSpec => ({
  name,
  kind: 'value',
  placeholder,
  help,
  ...rest,
});
const toggle = (name: string, help: string): OptionSpec => ({ name, kind: 'switch', help });
const NO_TLS = 'TLS is not built yet; keep the node on loopback, or behind a tunnel with --insecure';
const NO_ACL = 'access control is not built yet';

export const OPTIONS: readonly OptionSpec[] = [
  toggle('bootstrap', 'first node of a new cluster; ignored on a data directory that belongs to one'),
  value('node-name', 'NAME', 'unique and stable name of this node (default: the host name)'),
  value('data-dir', 'DIR', 'everything durable (default: ./data/<node-name>)'),
  value('bind-addr', 'HOST:PORT', 'gossip (UDP)', { default: '127.0.0.1:8301' }),
  value('rpc-addr', 'HOST:PORT', 'clients (gRPC) and peers, on one port', { default: '127.0.0.1:8300' }),
  value('advertise-addr', 'HOST:PORT', 'the gossip address that others are told (default: as bound)'),
  value('advertise-rpc-addr', 'HOST:PORT', 'the RPC address that others are told (default: as bound)'),
  value('http-addr', 'HOST:PORT|off', 'REST, status page, /healthz, /readyz, /metrics', { default: '127.0.0.1:8000' }),
  value('start-join-addrs', 'ADDR,...', 'gossip addresses of the cluster to join; retried until one answers'),
  toggle('non-voter', 'stay a learner: serve reads, never vote'),
  value('database-url', 'URL|off', 'postgres://... for the projection (default: embedded in the data directory)'),
  value('partitions', 'N', 'partitions of the ledger, fixed at bootstrap', { default: '1' }),
  value('segment-bytes', 'SIZE', 'size of a log segment', { default: '64MiB' }),
  value('retention-bytes', 'SIZE', 'drop the oldest segments beyond this size, under a snapshot (default: keep all)'),
  value('retention-age', 'DURATION', 'drop segments older than this, under a snapshot (default: keep all)'),
  value('snapshot-bytes', 'SIZE', 'take a snapshot of the state after so much log', { default: '256MiB' }),
  value('catch-up-bytes', 'SIZE', 'what a member that is behind is sent each second', { default: '32MiB' }),
  value('dedup-age', 'DURATION', 'how long ids are remembered, fixed at bootstrap (default: for ever)'),
  value('refusal-quota', 'N|off', 'refusals that cost an id, an hour and caller', { default: '1000000' }),
  value('election-timeout', 'MIN-MAX', 'randomised election timeout', { default: '300ms-600ms' }),
  value('heartbeat-interval', 'DURATION', 'heartbeat of the leader', { default: '75ms' }),
  value('remove-failed-after', 'DURATION', 'remove a failed member after this long (default: never)', {
    notBuilt: 'removing failed members is not built yet; a failed member stays a member',
  }),
  value('encrypt-key-file', 'FILE', 'gossip keyring: base64 keys of 32 bytes, one a line, the first encrypts'),
  value('server-tls-cert-file', 'FILE', 'certificate for clients', { notBuilt: NO_TLS }),
  value('server-tls-key-file', 'FILE', 'its key', { notBuilt: NO_TLS }),
  value('server-tls-ca-file', 'FILE', 'authority of the clients', { notBuilt: NO_TLS }),
  value('peer-tls-cert-file', 'FILE', 'certificate for peers', { notBuilt: NO_TLS }),
  value('peer-tls-key-file', 'FILE', 'its key', { notBuilt: NO_TLS }),
  value('peer-tls-ca-file', 'FILE', 'authority of the peers', { notBuilt: NO_TLS }),
  value('acl-model-file', 'FILE', 'casbin model', { notBuilt: NO_ACL }),
  value('acl-policy-file', 'FILE', 'casbin policy', { notBuilt: NO_ACL }),
  value('log-level', 'LEVEL', 'fatal, error, warn, info, debug, trace', { default: 'info' }),
  value('log-format', 'json|pretty', 'format of the log lines (default: pretty on a terminal, else json)'),
  toggle('insecure', 'listen beyond loopback without TLS'),
  toggle('dev', 'one throw-away node with a temporary data directory and an open USD ledger'),
];

export function environmentName(option: string): string {
  return `LEDGER_NODE_${option.toUpperCase().replaceAll('-', '_')}`;
}
