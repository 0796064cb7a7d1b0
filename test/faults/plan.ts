import { POINTS, type Point } from './points.ts';
import { createRandom, type Random } from './random.ts';

/** What one run does, from its seed alone. */

export type Step =
  | { do: 'send'; chat: string; text: string; kind: Kind; marker: string; file?: { name: string; text: string } }
  /** The newest event of the chat once more, under the same id. */
  | { do: 'repeat'; chat: string }
  /** Until the first sandbox runs: the point may be armed in it. */
  | { do: 'await-sandbox' }
  /** Until a tool that was asked to make this file has made it. */
  | { do: 'await-tool'; marker: string }
  /** Until the question with this in it stands in the chat. */
  | { do: 'await-question'; chat: string; marker: string }
  /** A reminder that is due in a second. */
  | { do: 'schedule'; chat: string; marker: string }
  | { do: 'pause'; ms: number }
  | { do: 'terminate' };

/** What is to be expected of a message. */
export type Kind =
  | 'plain'
  | 'tool'
  | 'slow'
  | 'stream'
  | 'file'
  | 'tell'
  | 'attachment'
  | 'hostile'
  | 'question'
  | 'answer'
  | 'command'
  | 'stop'
  | 'clear';

export interface Fault {
  point: string;
  nth: number;
}

export interface Plan {
  seed: number;
  chats: readonly string[];
  steps: readonly Step[];
  /** Sent while nothing runs. */
  whileDown: readonly Step[];
  point: Point;
  host: Fault | undefined;
  runner: Fault | undefined;
  /** Armed in the host that is started after the first kill. */
  second: Fault | undefined;
  /** After the runner's end, the host is killed this much later. */
  alsoHostAfterMs: number | undefined;
}

/** Seeds go through all points in turn, so that as many as there are points reach each. */
export function planOf(seed: number, chosen?: string): Plan {
  const random = createRandom(seed);
  const point = POINTS.find(({ name }) => name === chosen) ?? at(POINTS, seed % POINTS.length);
  const chats = ['a', 'b', 'c'].slice(0, 2 + random.below(2));
  const writer = createWriter(random, chats, seed);
  // The first round of seeds surely reaches each.
  const fault: Fault = { point: point.name, nth: seed <= POINTS.length ? 1 : 1 + random.below(point.times ?? 3) };
  const lead = leading(point, writer);
  const steps = [...lead, ...several(random, 3 + random.below(5), writer, 'a')];
  if (point.needs === 'shutdown') steps.push({ do: 'terminate' });
  const atBoot = point.needs === 'second';
  const isRunner = point.process === 'runner';
  return {
    seed,
    chats,
    steps,
    whileDown: several(random, random.below(3), writer),
    point,
    // With a sandbox that runs, so that there is a session to settle.
    host: atBoot ? { point: 'takeover.committed', nth: 1 } : isRunner ? undefined : fault,
    runner: isRunner
      ? fault
      : point.needs === 'dead-sandbox'
        ? { point: random.pick(['runner.taken', 'runner.answered', 'runner.finishing', 'runner.finished']), nth: 1 }
        : undefined,
    second: atBoot ? { ...fault, nth: 1 } : secondOf(random),
    alsoHostAfterMs: isRunner && random.chance(0.4) ? random.below(40) : undefined,
  };
}

function secondOf(random: Random): Fault | undefined {
  if (!random.chance(0.3)) return undefined;
  const points = [
    'boot.recovered',
    'boot.resumed',
    'sandbox.undrained',
    'publish.renamed',
    'takeover.committed',
  ] as const;
  return { point: random.pick([...points, 'delivery.sending', 'delivery.called', 'accept.committed']), nth: 1 };
}

/** What the point needs, first and in the first chat. */
function leading({ needs, process }: Point, writer: Writer): Step[] {
  const first = writer.send('a', leadingKind(needs));
  const { marker } = first;
  if (needs === 'answer') return [first, { do: 'await-question', chat: 'a', marker }, writer.send('a', 'answer')];
  if (needs === 'task') return [{ do: 'schedule', chat: 'a', marker: marker.replace('s', 'due') }, first];
  if (needs === 'stop') return [first, { do: 'await-tool', marker: first.marker }, writer.send('a', 'stop')];
  if (process === 'runner') return [first, writer.send('a', 'tool'), { do: 'await-sandbox' }];
  return [first];
}

function leadingKind(needs: Point['needs']): Kind {
  switch (needs) {
    case 'attachment':
    case 'command':
    case 'file':
    case 'hostile':
    case 'stream':
    case 'tool':
      return needs;
    case 'answer':
      return 'question';
    case 'stop':
      return 'slow';
    default:
      return 'tool';
  }
}

/** `spared`: a chat in which nothing is stopped, so that the point is reached in it. */
function several(random: Random, count: number, writer: Writer, spared?: string): Step[] {
  const steps: Step[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const chat = random.pick(writer.chats);
    const kind = random.pick<Kind>([
      ...['plain', 'plain', 'tool', 'tool', 'tool', 'tell', 'tell', 'file', 'attachment', 'stream'],
      ...['command', 'stop', 'clear'],
    ] as [Kind, ...Kind[]]);
    const isEnd = kind === 'stop' || kind === 'clear';
    steps.push(writer.send(chat, isEnd && chat === spared ? 'plain' : kind));
    if (random.chance(0.2)) steps.push({ do: 'repeat', chat });
    // Half of them come in one breath with the next.
    if (random.chance(0.5)) steps.push({ do: 'pause', ms: random.below(60) });
  }
  return steps;
}

interface Writer {
  chats: [string, ...string[]];
  send(chat: string, kind: Kind): Extract<Step, { do: 'send' }>;
}

function createWriter(random: Random, chats: readonly string[], seed: number): Writer {
  let count = 0;
  return {
    chats: chats as [string, ...string[]],
    send(chat, kind) {
      count += 1;
      const marker = `s${seed}m${count}e`;
      const others = chats.filter((other) => other !== chat);
      const text = textOf(kind, marker, at(others, random.below(others.length)));
      const file = kind === 'attachment' ? { file: { name: 'note.txt', text: marker } } : {};
      return { do: 'send', chat, kind, marker, text, ...file };
    },
  };
}

/** `tools.log` counts how often each tool has run. */
function textOf(kind: Kind, marker: string, other: string): string {
  switch (kind) {
    case 'plain':
      return `please think about ${marker}`;
    case 'attachment':
    case 'tool':
      return `run echo ${marker} >> tools.log; echo ${marker}`;
    case 'slow':
      return `run touch ${marker}; sleep 20; echo ${marker}`;
    case 'stream':
      return `count to 150: ${marker}`;
    case 'file':
      return 'send me gift.txt';
    case 'tell':
      return `tell ${other}: ${marker}`;
    case 'hostile':
      return 'run sleep 0.1; echo garbage > /workspace/outbound.db; sleep 5';
    case 'question':
      return `ask me Which ${marker}?: blue, red`;
    case 'answer':
      return 'red';
    case 'command':
      return '/status';
    case 'stop':
      return '/stop';
    case 'clear':
      return '/clear';
  }
}

function at<T>(of: readonly T[], index: number): T {
  const found = of[index];
  if (found === undefined) throw new Error(`There is no element ${index}.`);
  return found;
}
