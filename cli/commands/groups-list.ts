import { hostCommand } from '../definition.ts';
import { table } from '../table.ts';

export const groupsList = hostCommand({
  name: 'groups list',
  summary: 'The agent groups',
  handle: (view) => ({ ok: true, data: view.groups() }),
  show(rows, screen) {
    if (rows.length === 0) return 'There is no agent yet: `ncl init-first-agent` makes one.';
    const cells = rows.map((row) => [row.id, row.name, row.folder, row.provider, row.model ?? 'default', row.egress]);
    return table(['ID', 'NAME', 'FOLDER', 'PROVIDER', 'MODEL', 'EGRESS'], cells, screen);
  },
});
