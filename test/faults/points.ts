/** Every named point of the product: docs/sessions.md shows this table, and a test holds it against the code. */

export interface Point {
  name: string;
  process: 'host' | 'runner';
  /** What is half done there. */
  half: string;
  /** What may happen twice, where the platform has no idempotency keys. */
  repeats: string;
  /** What a run must do so that the point is reached. */
  needs?: Need;
  /** How often it is surely reached then; 3 unless given. */
  times?: number;
}

/** `dead-sandbox`: one that dies while the host lives. `second`: a start after a crash. */
export type Need =
  | 'answer'
  | 'attachment'
  | 'command'
  | 'dead-sandbox'
  | 'file'
  | 'hostile'
  | 'second'
  | 'shutdown'
  | 'stop'
  | 'stream'
  | 'task'
  | 'tool';

const NOTHING = 'nothing';
const SAID = 'one message may be said twice';
const TOOL = 'a tool runs again, and says again what it had said by itself';

export const POINTS: readonly Point[] = [
  host('attachments.moved', 'A file lies in the inbox; no message tells of it.', NOTHING, 'attachment', 1),
  host('accept.committing', 'Messages are written, and not committed.', NOTHING),
  host('accept.committed', 'They are stored; neither the platform nor a sandbox was told.', NOTHING),
  host('accept.waking', 'The same, with publishing under way.', NOTHING, undefined, 2),
  host('command.committing', 'A command’s changes are written, and not committed.', NOTHING, 'command', 1),
  host('command.committed', 'A command is stored; its answer is not said.', NOTHING, 'command', 1),
  host('answer.committed', 'An answer to a question is stored; neither agent nor chat was told.', NOTHING, 'answer', 1),
  host('task.firing', 'A run, its message and its next time are written, and not committed.', NOTHING, 'task', 1),
  host('task.fired', 'They are stored; no sandbox was told.', NOTHING, 'task', 1),
  host('publish.written', 'The new inbound.db lies beside the old one.', NOTHING),
  host('publish.renamed', 'It is in its place; no sandbox runs, perhaps.', NOTHING),
  host('sandbox.preparing', 'A session’s folders and socket are there.', NOTHING, undefined, 2),
  host('sandbox.undrained', 'The session is marked as having a sandbox; none runs.', NOTHING, undefined, 2),
  host(
    'sandbox.building',
    'bwrap has its arguments, and is in no limits yet; or a container runs, and waits for the word to begin.',
    NOTHING,
    undefined,
    2,
  ),
  host('sandbox.started', 'A sandbox runs; nobody looks at its box.', TOOL, undefined, 2),
  host('takeover.committing', 'What the agent wrote is taken over, and not committed.', NOTHING),
  host('takeover.committed', 'It is stored; its delivery is not queued.', NOTHING),
  host('delivery.preparing', 'A message’s files are copied; nothing is noted.', NOTHING),
  host('delivery.sending', '“sending” is noted; the channel was not called.', NOTHING),
  host('delivery.called', 'The channel has it; the outcome is not noted.', SAID),
  host('delivery.noted', 'The outcome is noted; the agent was not told, its files stay.', NOTHING),
  host('draft.growing', 'The beginning of an answer stands in a chat; it is longer by now.', NOTHING, 'stream', 1),
  host('outbox.dropping', 'A delivered message’s files are gone, their folder is not.', NOTHING, 'file', 1),
  host('aftermath.draining', 'A dead sandbox’s file is read to its end; that is not noted.', TOOL, 'dead-sandbox', 1),
  host('aftermath.drained', 'What it held is put off, or failed; no notice is said.', NOTHING, 'dead-sandbox', 1),
  host('quarantine.stopped', 'A sandbox is ended for its file; the file is where it was.', TOOL, 'hostile', 1),
  host('quarantine.aside', 'The file is out of reach; no notice is stored.', TOOL, 'hostile', 1),
  host('boot.recovered', 'One session of an earlier host is settled, others are not.', TOOL, 'second', 1),
  host('boot.resumed', 'Everything unsaid is queued; no channel is connected.', SAID, 'second', 1),
  host('shutdown.step', 'Some parts of the host have ended, others have not.', SAID, 'shutdown', 8),
  runner('runner.upgrading', 'outbound.db has some of its tables, under a journal.', NOTHING, undefined, 4),
  runner('runner.taken', 'Messages are marked “processing”; the provider has no prompt.', NOTHING, undefined, 2),
  runner('runner.tool', 'A tool is noted as running.', TOOL, 'tool', 1),
  runner('runner.drafting', 'An answer is being written; a part of it is shown.', TOOL, 'stream', 1),
  runner('runner.file', 'A file lies in the outbox; no row tells of it.', TOOL, 'file', 1),
  runner('runner.answered', 'The provider has answered; nothing of it is written.', TOOL, undefined, 2),
  runner(
    'runner.finishing',
    'Answer, acknowledgements and continuation are written, and not committed.',
    TOOL,
    undefined,
    2,
  ),
  runner('runner.finished', 'They are committed; the runner’s memory does not know.', NOTHING, undefined, 2),
  runner('runner.pruning', 'Rows that the host has are deleted, and not committed.', NOTHING, undefined, 1),
  runner('runner.stopped', 'A stop is written; the provider still works.', NOTHING, 'stop', 1),
];

export const DOCS_HEADER = '| point | process | half done there | may repeat on a platform without idempotency keys |';

export function docsTable(): string {
  const rows = POINTS.map(({ name, process, half, repeats }) => `| \`${name}\` | ${process} | ${half} | ${repeats} |`);
  return [DOCS_HEADER, '|---|---|---|---|', ...rows].join('\n');
}

function host(name: string, half: string, repeats: string, needs?: Need, times?: number): Point {
  return { name, process: 'host', half, repeats, ...(needs && { needs }), ...(times && { times }) };
}

function runner(name: string, half: string, repeats: string, needs?: Need, times?: number): Point {
  return { ...host(name, half, repeats, needs, times), process: 'runner' };
}
