import type { SessionDetail } from '../../admin/view.ts';
import { type Command, changeCommand, hostCommand, textOf } from '../definition.ts';
import type { Row } from '../lookup/index.ts';
import { since } from '../relative-time.ts';
import { pairs, table } from '../table.ts';
import { CHAT } from './chats.ts';
import { GROUP } from './groups.ts';
import { modelChanges, modelFlags, providerReady } from './model-flags.ts';
import { ago, listCommand, positionalOf, rowOf, type Subject, shown } from './resource.ts';

/** What the host shortens a text to. */
const SHOWN_TEXT = 200;
const SESSION = { name: 'sessions', kind: 'session', word: 'id', also: ['session'] } as const satisfies Subject;

function placeOf({ channelType, platformId, threadId }: Row): string {
  const parts = [channelType, platformId, threadId].filter((part) => part !== null && part !== '');
  return parts.length === 0 ? 'all chats' : parts.join(' ');
}

const list = listCommand({
  name: 'sessions',
  kind: 'session',
  summary: 'The sessions and what they do',
  none: 'There is no session yet: `ncl chat "hello"` begins one.',
  agents: 'read',
  where: { status: 'active' },
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'AGENT', of: 'agent' },
    { head: 'CHAT', of: placeOf },
    { head: 'STATE', of: (row) => shown(row.status === 'closed' ? 'closed' : row.state) },
    { head: 'PENDING', of: 'pending' },
    { head: 'ACTIVE', of: (row) => ago(row.lastActivity) },
  ],
  filters: [
    { ...positionalOf(GROUP), required: false, value: 'group', column: 'agentGroupId', also: GROUP.also.slice(1) },
    { ...positionalOf(CHAT), required: false, value: 'chat', column: 'messagingGroupId', also: CHAT.also.slice(1) },
    { name: 'channel-type', value: 'channel', description: 'only those on that channel' },
    { name: 'state', value: 'state', choices: ['idle', 'warm', 'working'], description: 'only those in that state' },
    { name: 'status', value: 'status', choices: ['active', 'closed'], description: 'active ones at first' },
  ],
});

type Detail = Row & Partial<SessionDetail>;

const get = hostCommand<Detail>({
  name: 'sessions get',
  summary: 'One session with its newest messages',
  agents: 'read',
  positionals: [positionalOf(SESSION)],
  handle(view, args, call) {
    const row = rowOf(view, SESSION, args, call);
    const id = textOf(args, 'id') ?? '';
    // What was said in another chat, and where things lie on this machine, is not an agent's to read.
    if (!row.ok || call.caller.kind === 'agent') return row;
    const detail = view.session(id);
    return detail.ok ? { ok: true, data: { ...row.data, ...detail.data } } : detail;
  },
  show(session, screen) {
    const { sandbox, recent = [], folder } = session;
    const shownPairs = pairs(
      [
        ['id', shown(session.id)],
        ['agent', `${session.agent} (${[session.agentGroupId, session.provider].filter(Boolean).join(', ')})`],
        ...(session.runsWith === undefined ? [] : [['runs with', session.runsWith] as const]),
        ['chat', placeOf(session)],
        ['state', `${session.status === 'closed' ? 'closed' : session.state}, ${session.pending} pending`],
        ...(sandbox === undefined
          ? []
          : [
              [
                'sandbox',
                sandbox
                  ? `up ${since(sandbox.startedAt)}${sandbox.uid === null ? '' : `, uid ${sandbox.uid}`}`
                  : 'none',
              ] as const,
            ]),
        ['created', shown(session.createdAt)],
        ...(folder === undefined ? [] : [['folder', folder] as const]),
      ],
      screen,
    );
    const rows = recent.map((message) => [
      message.id,
      message.timestamp,
      message.direction === 'in' ? '→' : '←',
      message.status,
      message.text.length < SHOWN_TEXT ? message.text : `${message.text}…`,
    ]);
    return rows.length === 0
      ? shownPairs
      : `${shownPairs}\n\n${table(['ID', 'TIME', '', 'STATUS', 'TEXT'], rows, screen)}`;
  },
});

const update = changeCommand<Row>({
  name: 'sessions update',
  summary: 'Which model this conversation has, whatever is set for its agent; from the next message on',
  positionals: [positionalOf(SESSION)],
  flags: modelFlags('another model harness, for this conversation alone; or `default`'),
  ready: providerReady,
  handle(view, args, call) {
    const done = view.directory.updateSession(textOf(args, 'id') ?? '', modelChanges(args), call.by, call.now);
    return done.ok ? rowOf(view, SESSION, args, call) : done;
  },
  show: (row) =>
    `From its next message on: ${['provider', 'model', 'effort'].map((name) => `${name} ${shown(row[name] || 'default')}`).join(', ')}.`,
});

const stop = changeCommand({
  name: 'sessions stop',
  summary: 'End its sandbox; what is open goes on when it starts again',
  positionals: [positionalOf(SESSION)],
  handle: (view, args, { by, now }) => view.directory.stopSession(textOf(args, 'id') ?? '', by, now),
  show: () => 'Its sandbox has ended.',
});

const reset = changeCommand({
  name: 'sessions reset',
  summary: "Close it, and end what is open: the next message begins a new one. The agent's memory and files stay",
  positionals: [positionalOf(SESSION)],
  handle: (view, args, { by, now }) => view.directory.resetSession(textOf(args, 'id') ?? '', by, now),
  show: (ended) =>
    ended['open messages'] ? `It is closed; ${ended['open messages']} open messages were ended.` : 'It is closed.',
});

export const sessions: readonly Command[] = [list, get, update, stop, reset];
