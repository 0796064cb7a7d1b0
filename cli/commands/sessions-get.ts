import { hostCommand, textOf } from '../definition.ts';
import { since } from '../relative-time.ts';
import { pairs, table } from '../table.ts';

/** What the host shortens a text to. */
const SHOWN_TEXT = 200;

export const sessionsGet = hostCommand({
  name: 'sessions get',
  summary: 'One session with its newest messages',
  positionals: [{ name: 'id', description: 'the id, or its beginning', required: true }],
  handle: (view, args) => view.session(textOf(args, 'id') ?? ''),
  show(session, screen) {
    const { sandbox } = session;
    const shown = pairs(
      [
        ['id', session.id],
        ['agent', `${session.agent} (${session.agentGroupId}, ${session.provider})`],
        ['chat', [session.channelType, session.platformId, session.threadId].filter((part) => part !== null).join(' ')],
        ['state', `${session.state}, ${session.pending} pending`],
        [
          'sandbox',
          sandbox ? `up ${since(sandbox.startedAt)}${sandbox.uid === null ? '' : `, uid ${sandbox.uid}`}` : 'none',
        ],
        ['created', session.createdAt],
        ['folder', session.folder],
      ],
      screen,
    );
    const rows = session.recent.map((message) => [
      message.id,
      message.timestamp,
      message.direction === 'in' ? '→' : '←',
      message.status,
      message.text.length < SHOWN_TEXT ? message.text : `${message.text}…`,
    ]);
    return rows.length === 0 ? shown : `${shown}\n\n${table(['ID', 'TIME', '', 'STATUS', 'TEXT'], rows, screen)}`;
  },
});
