import { EntryKind, type ConfigurationChange, type Message } from '../../../../src/raft/core';
import { configuration, id, server } from '../memory-log';
import type { ScenarioCluster, ScenarioNode } from './scenario-cluster';
import {
  configurationText,
  entryText,
  messageText,
  nodeText,
  progressText,
  readyText,
  stateText,
} from './scenario-text';

/** The words of one line of a script: plain ones, and `name=value` or `name=(value value)`. */
export interface Words {
  readonly plain: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

type Command = (cluster: ScenarioCluster, words: Words) => string[];

const ROUNDS = 100;

/** What a script can say. The list for people is in docs/internals/raft.md. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  'add-nodes': (cluster, { plain, named }) => {
    const voters = numbers(named.get('voters'));
    const learners = numbers(named.get('learners'));
    const limit = named.get('max-inflight');
    const bytes = named.get('max-bytes');
    const options = {
      ...(limit !== undefined && { maxInflightMessages: Number(limit) }),
      ...(bytes !== undefined && { maxMessageBytes: Number(bytes) }),
    };
    const first = cluster.nodes.size + 1;
    for (let number = first; number < first + Number(plain[0]); number += 1) {
      const knows = voters.includes(number) || learners.includes(number);
      cluster.add(number, knows ? configuration(voters, learners) : undefined, options);
    }
    return [];
  },
  campaign: (cluster, words) => on(cluster, words, (node) => node.core.campaign()),
  tick: (cluster, words) => {
    const times = Number(words.plain[1] ?? 1);
    return on(cluster, words, (node) => {
      for (let at = 0; at < times; at += 1) node.core.tick();
    });
  },
  'tick-heartbeat': (cluster, words) => COMMANDS['tick']!(cluster, withTicks(words, 3)),
  'tick-election': (cluster, words) => COMMANDS['tick']!(cluster, withTicks(words, 20)),
  propose: (cluster, words) => {
    const answer = nodeOf(cluster, words).core.propose(EntryKind.records, [Buffer.from(words.plain[1] ?? '')], 1);
    return typeof answer === 'string' ? [`refused: ${answer}`] : [];
  },
  'propose-conf-change': (cluster, words) => {
    const answer = nodeOf(cluster, words).core.proposeConfiguration(changeOf(words));
    return typeof answer === 'string' ? [`refused: ${answer}`] : [];
  },
  'read-index': (cluster, words) => on(cluster, words, (node) => node.core.readIndex(Number(words.plain[1]))),
  'transfer-leadership': (cluster, words) => {
    const answer = nodeOf(cluster, words).core.transferLeadership(id(Number(words.named.get('to'))));
    return answer === undefined ? [] : [`refused: ${answer}`];
  },
  'report-unreachable': (cluster, words) =>
    on(cluster, words, (node) => node.core.unreachable(id(Number(words.named.get('peer'))))),
  'process-ready': (cluster, words) => {
    const node = nodeOf(cluster, words);
    const ready = node.takeReady(cluster.send);
    return ready ? readyText(ready) : ['nothing to do'];
  },
  'process-append': (cluster, words) => {
    const node = nodeOf(cluster, words);
    return [node.writeOne(cluster.send) ? 'one write is durable' : 'nothing to write'];
  },
  'process-apply': (cluster, words) => {
    const node = nodeOf(cluster, words);
    return [node.applyOne() ? `applied up to ${node.core.status().applied}` : 'nothing to apply'];
  },
  'deliver-msgs': (cluster, words) => {
    const lines: string[] = [];
    for (const message of cluster.take(selector(words))) lines.push(deliver(cluster, message));
    return lines.length > 0 ? lines : ['no message'];
  },
  drop: (cluster, words) => {
    const dropped = cluster.take(selector(words)).map((message) => `lost: ${messageText(message)}`);
    return dropped.length > 0 ? dropped : ['no message'];
  },
  duplicate: (cluster, words) => {
    const which = selector(words);
    const again = cluster.network.filter(which);
    cluster.network.push(...again);
    return again.map((message) => `twice: ${messageText(message)}`);
  },
  network: (cluster) => cluster.network.map(messageText),
  /** What a leader may send at any time: all that it has behind an index, whatever it knows of the receiver. */
  'send-append': (cluster, words) => {
    const { id: from, core, log } = nodeOf(cluster, words);
    const [to, prevIndex] = [id(Number(words.named.get('to'))), Number(words.named.get('after'))];
    const { term, commit } = core.status();
    const entries = log.read(prevIndex + 1, 1 << 20, 64);
    cluster.send({ type: 'append', from, to, term, prevIndex, prevTerm: log.termAt(prevIndex) ?? 0, entries, commit });
    return [];
  },
  'send-snapshot': (cluster, words) => {
    const node = nodeOf(cluster, words);
    const to = node.snapshotsFor.shift();
    if (to === undefined) return ['nobody waits for a snapshot'];
    cluster.send({ type: 'snapshot', from: node.id, to, term: node.core.status().term, meta: node.snapshot });
    return [`snapshot at ${node.snapshot.index} on its way to ${nodeText(to)}`];
  },
  'report-snapshot': (cluster, words) =>
    on(cluster, words, (node) =>
      node.core.snapshotStatus(
        id(Number(words.named.get('peer'))),
        words.named.get('ok') !== 'no',
        node.snapshot.index,
      ),
    ),
  load: (cluster, words) => {
    const node = nodeOf(cluster, words);
    const wanted = node.loads.shift();
    if (!wanted) return ['nothing to load'];
    node.core.appendFor(wanted.peer, node.log.read(wanted.from, 1 << 20, 64));
    return [`loaded for ${nodeText(wanted.peer)} from ${wanted.from}`];
  },
  compact: (cluster, words) => {
    const { index, term, configuration: as } = nodeOf(cluster, words).compact();
    return [`snapshot at ${index}.${term} ${configurationText(as)}`];
  },
  'forget-under': (cluster, words) => on(cluster, words, (node) => node.forgetUnder(Number(words.plain[1]))),
  crash: (cluster, words) => on(cluster, words, (node) => node.crash()),
  restart: (cluster, words) => on(cluster, words, (node) => node.start()),
  'raft-log': (cluster, words) => {
    const { entries } = nodeOf(cluster, words).log;
    return entries.length > 0 ? entries.map(entryText) : ['empty'];
  },
  applied: (cluster, words) => [nodeOf(cluster, words).applied.join(' ')],
  'raft-state': (cluster) =>
    [...cluster.nodes.values()].map((node) => `${node.number}: ${node.isUp ? stateText(node.core.status()) : 'down'}`),
  config: (cluster, words) => [configurationText(nodeOf(cluster, words).core.status().configuration)],
  status: (cluster, words) => progressText(nodeOf(cluster, words).core.status()),
  stabilize,
};

/** Goes on until nothing is left to do: by the nodes that are named, or by all. */
function stabilize(cluster: ScenarioCluster, { plain, named }: Words): string[] {
  const chosen = plain.length > 0 ? plain.map(Number) : [...cluster.nodes.values()].map(({ number }) => number);
  const quiet = named.get('log') === 'none';
  const lines: string[] = [];
  const say = (more: string): void => void (quiet ? undefined : lines.push(more));
  for (let round = 0; round < ROUNDS; round += 1) {
    let moved = false;
    for (const node of chosen.map((number) => cluster.node(number)).filter(({ isUp }) => isUp)) {
      for (let ready = node.takeReady(cluster.send); ready; ready = node.takeReady(cluster.send)) {
        moved = true;
        say(`> ${node.number}`);
        readyText(ready).forEach((line) => say(`  ${line}`));
      }
      while (node.writeOne(cluster.send)) moved = true;
      while (node.applyOne()) moved = true;
    }
    for (const message of cluster.take((m) => chosen.includes(Number.parseInt(m.to, 16)))) {
      moved = true;
      say(deliver(cluster, message));
    }
    if (!moved) return lines;
  }
  throw new Error(`After ${ROUNDS} rounds the nodes still do not come to rest.`);
}

function deliver(cluster: ScenarioCluster, message: Message): string {
  const node = cluster.nodes.get(message.to);
  if (!node?.isUp) return `nobody there: ${messageText(message)}`;
  try {
    node.core.step(message);
  } catch (error) {
    return `${messageText(message)} !! ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  }
  return messageText(message);
}

function selector({ named, plain }: Words): (message: Message) => boolean {
  const [from, to, type] = ['from', 'to', 'type'].map((name) => named.get(name));
  const receivers = plain.map((number) => id(Number(number)));
  const among = (list: string | undefined, node: string): boolean =>
    list === undefined || numbers(list).map(id).includes(node);
  return (m) =>
    among(from, m.from) &&
    among(to, m.to) &&
    (receivers.length === 0 || receivers.includes(m.to)) &&
    (type === undefined || m.type === type);
}

function changeOf({ named }: Words): ConfigurationChange {
  const one = (name: string): number => Number(named.get(name));
  if (named.has('add-learner')) return { type: 'addLearner', server: server(one('add-learner')) };
  if (named.has('promote')) return { type: 'promote', id: id(one('promote')) };
  if (named.has('remove')) return { type: 'remove', id: id(one('remove')) };
  if (named.has('replace')) return { type: 'replace', old: id(one('replace')), server: server(one('by')) };
  return { type: 'setVoters', voters: numbers(named.get('voters')).map(id) };
}

function nodeOf(cluster: ScenarioCluster, { plain }: Words): ScenarioNode {
  return cluster.node(Number(plain[0]));
}

function on(cluster: ScenarioCluster, words: Words, work: (node: ScenarioNode) => void): string[] {
  work(nodeOf(cluster, words));
  return [];
}

function withTicks({ plain, named }: Words, ticks: number): Words {
  return { plain: [plain[0] as string, String(ticks)], named };
}

function numbers(list: string | undefined): number[] {
  return (list ?? '')
    .split(' ')
    .filter((word) => word !== '')
    .map(Number);
}
