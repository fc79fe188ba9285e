import pretty from 'pino-pretty';
import pino, { type Logger } from 'pino';
import type { NodeConfig } from './config/node-config';

/** The node's log lines, on stderr: JSON, or for people on a terminal. Standard output stays free for what a command answers. */
export function nodeLogger(config: Pick<NodeConfig, 'logLevel' | 'logFormat' | 'nodeName'>): Logger {
  const options = { level: config.logLevel, base: { node: config.nodeName }, timestamp: pino.stdTimeFunctions.isoTime };
  if (config.logFormat === 'json') return pino(options, pino.destination({ dest: 2, sync: false, minLength: 0 }));
  // A stream in this thread, not a transport: the last line before an exit is the one that matters.
  return pino({ ...options, base: null }, prettyStream());
}

function prettyStream(): pino.DestinationStream {
  return pretty({
    colorize: process.stderr.isTTY,
    destination: 2,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
}
