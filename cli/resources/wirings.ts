import type { WiringTerms } from '../../admin/directory/index.ts';
import type { Result } from '../../admin/view.ts';
import { type Arguments, type Command, changeCommand, type Flag, textOf } from '../definition.ts';
import { CHAT } from './chats.ts';
import { GROUP } from './groups.ts';
import {
  choiceOf,
  deleteCommand,
  getCommand,
  listCommand,
  positionalOf,
  type Subject,
  shown,
  YES_NO,
  yesNoOf,
} from './resource.ts';

const WIRING = { name: 'wirings', kind: 'wiring', word: 'wiring', also: ['id'] } as const satisfies Subject;
const SESSION_MODES = ['shared', 'per-thread', 'agent-shared'] as const;
const ENGAGE_MODES = ['pattern', 'mention', 'mention-sticky'] as const;
const SENDERS = ['all', 'known'] as const;
const IGNORED = ['drop', 'accumulate'] as const;

const TERMS: readonly Flag[] = [
  {
    name: 'session-mode',
    value: 'mode',
    choices: SESSION_MODES,
    description: 'one session for the chat, for each thread, or for all chats of this agent',
  },
  { name: 'engage-mode', value: 'mode', choices: ENGAGE_MODES, description: 'when the agent is meant' },
  { name: 'engage-pattern', value: 'regex', description: 'for the mode pattern: what a message has to match' },
  { name: 'sender-scope', value: 'who', choices: SENDERS, description: 'whether strangers are ever heard' },
  {
    name: 'ignored-message-policy',
    value: 'policy',
    choices: IGNORED,
    description: 'whether what it is not meant by is kept as context',
  },
  { name: 'priority', value: 'number', description: 'the highest is asked first; 0 at first' },
  {
    name: 'exclusive',
    value: 'answer',
    choices: YES_NO,
    description: 'when it takes a message, those after it do not',
  },
];

const list = listCommand({
  name: 'wirings',
  kind: 'wiring',
  summary: 'Which agents listen in which chats, and on what terms',
  none: 'No agent listens anywhere: `ncl wirings create` lets one.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'CHAT', of: 'chat' },
    { head: 'AGENT', of: 'agent' },
    { head: 'SESSION', of: 'sessionMode' },
    {
      head: 'MEANT BY',
      of: (row) => (row.engageMode === 'pattern' ? `pattern ${shown(row.engagePattern)}` : shown(row.engageMode)),
    },
    { head: 'SENDERS', of: 'senderScope' },
    { head: 'IGNORED', of: 'ignoredMessagePolicy' },
    { head: 'PRIORITY', of: (row) => `${row.priority}${row.exclusive ? ', exclusive' : ''}` },
  ],
  filters: [
    { ...positionalOf(CHAT), required: false, value: 'chat', column: 'messagingGroupId', also: CHAT.also.slice(1) },
    { ...positionalOf(GROUP), required: false, value: 'group', column: 'agentGroupId', also: GROUP.also.slice(1) },
    { name: 'channel-type', value: 'channel', description: 'only those on that channel' },
    { name: 'session-mode', value: 'mode', choices: SESSION_MODES, description: 'only those with that session mode' },
    { name: 'engage-mode', value: 'mode', choices: ENGAGE_MODES, description: 'only those with that engage mode' },
  ],
});

const create = changeCommand({
  name: 'wirings create',
  summary: 'Let an agent listen in a chat, which becomes a destination of it, too',
  positionals: [
    { ...positionalOf(CHAT), also: CHAT.also.slice(1) },
    { ...positionalOf(GROUP), also: GROUP.also.slice(1) },
  ],
  flags: TERMS,
  handle(view, args, { by, now }) {
    const terms = readTerms(args);
    if (!terms.ok) return terms;
    const messagingGroupId = textOf(args, 'chat') ?? '';
    const agentGroupId = textOf(args, 'group') ?? '';
    return view.directory.wire({ messagingGroupId, agentGroupId, ...terms.data }, by, now);
  },
  show: ({ id, destination }) => `It listens there now: ${id}. It reaches the chat as “${destination}”.`,
});

const update = changeCommand({
  name: 'wirings update',
  summary: 'Change the terms on which an agent listens in a chat',
  positionals: [positionalOf(WIRING)],
  flags: TERMS,
  handle(view, args, { by, now }) {
    const terms = readTerms(args);
    return terms.ok ? view.directory.updateWiring(textOf(args, 'wiring') ?? '', terms.data, by, now) : terms;
  },
  show: () => 'Done: it counts from the next message on.',
});

const remove = deleteCommand(
  WIRING,
  'The wiring',
  'Let an agent listen there no more; what was said stays',
  (directory, id, by, now) => directory.unwire(id, by, now),
);

export const wirings: readonly Command[] = [list, getCommand(WIRING, 'One wiring'), create, update, remove];

function readTerms(args: Arguments): Result<Partial<WiringTerms>> {
  const sessionMode = choiceOf(args, 'session-mode', SESSION_MODES);
  const engageMode = choiceOf(args, 'engage-mode', ENGAGE_MODES);
  const engagePattern = textOf(args, 'engage-pattern');
  const senderScope = choiceOf(args, 'sender-scope', SENDERS);
  const ignoredMessagePolicy = choiceOf(args, 'ignored-message-policy', IGNORED);
  const priority = textOf(args, 'priority');
  const exclusive = yesNoOf(args, 'exclusive');
  if (engagePattern === '')
    return { ok: false, code: 'NC_USAGE', detail: 'A pattern is not empty; . takes everything.' };
  return {
    ok: true,
    data: {
      ...(sessionMode && { sessionMode }),
      ...(engageMode && { engageMode }),
      ...(engagePattern !== undefined && { engagePattern }),
      ...(senderScope && { senderScope }),
      ...(ignoredMessagePolicy && { ignoredMessagePolicy }),
      ...(priority !== undefined && { priority: /^-?\d+$/.test(priority) ? Number(priority) : Number.NaN }),
      ...(exclusive !== undefined && { exclusive }),
    },
  };
}
