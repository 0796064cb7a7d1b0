import { hostCommand } from '../definition.ts';
import { since } from '../relative-time.ts';
import { table } from '../table.ts';

export const sessionsList = hostCommand({
  name: 'sessions list',
  summary: 'The sessions and what they do',
  handle: (view) => ({ ok: true, data: view.sessions() }),
  show(rows, screen) {
    if (rows.length === 0) return 'There is no session yet: `ncl chat "hello"` begins one.';
    const cells = rows.map((row) => [
      row.id,
      row.agent,
      [row.channelType, row.platformId, row.threadId].filter((part) => part !== null).join(' '),
      row.state,
      String(row.pending),
      row.lastActivity === null ? 'never' : `${since(row.lastActivity)} ago`,
    ]);
    return table(['ID', 'AGENT', 'CHAT', 'STATE', 'PENDING', 'ACTIVE'], cells, screen);
  },
});
