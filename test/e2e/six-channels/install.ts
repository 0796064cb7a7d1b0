import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initFirstAgent } from '../../../admin/first-agent.ts';
import { createInstances } from '../../../src/channels/instances.ts';
import { writeSettings } from '../../../src/channels/settings.ts';
import { openCentral } from '../../../src/db/connection.ts';
import { transaction } from '../../../src/db/group-commit.ts';
import { pathsFor } from '../../../src/paths.ts';
import type { Lane } from './lane.ts';

/**
 * An install with an account of each, all of their chats wired to one agent in one session: nothing but the message itself
 * says where an answer belongs.
 */
export function installWith(lanes: readonly Lane[]): string {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-six-')));
  initFirstAgent(home, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  const paths = pathsFor(home);
  const now = Date.now();
  const at = new Date(now).toISOString();
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now });
  const agent = String(db.prepare('SELECT id FROM agent_groups').get()?.id);
  const addChat = db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, name, unknown_sender_policy, created_at)
     VALUES (?, ?, ?, ?, 'public', ?)`,
  );
  const wire = db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, session_mode, engage_mode, engage_pattern, created_at)
     VALUES (?, ?, ?, 'agent-shared', 'pattern', '.', ?)`,
  );
  transaction(db, () => {
    for (const { account, places } of lanes) {
      const { instance, channel, source } = account;
      createInstances(db).add({ instance, channel, source, enabled: true }, now);
      for (const [index, chat] of [...new Set(places.map((place) => place.chat))].entries()) {
        const id = `mg-${instance}-${index}`;
        addChat.run(id, instance, chat, chat, at);
        wire.run(`mga-${instance}-${index}`, id, agent, at);
      }
    }
  });
  db.close();
  for (const { account } of lanes) writeSettings(paths.channels, account.instance, account.settings);
  return home;
}
