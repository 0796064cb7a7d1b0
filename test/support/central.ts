import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { openCentral } from '../../src/db/connection.ts';
import { createDeliveries } from '../../src/db/deliveries.ts';
import { createMessages } from '../../src/db/messages.ts';
import { createSessions, type Session } from '../../src/db/sessions.ts';
import { createTakeOver } from '../../src/take-over/index.ts';
import { scratchFolder } from './scratch.ts';

/** A fresh install in a temporary folder: the first agent, the owner's terminal, a real central database. */
export function createInstall(): Install {
  const root = scratchFolder('nanoclaw-install-');
  mkdirSync(join(root, 'groups'));
  const { agent } = initFirstAgent(root, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  const db = openCentral({ file: join(root, 'data/v2.db'), backups: join(root, 'data/backups'), now: Date.now() });
  const sessions = createSessions(db);
  const messages = createMessages(db);
  const deliveries = createDeliveries(db);
  const chatId = String(db.prepare("SELECT id FROM messaging_groups WHERE platform_id = 'local'").get()?.id);
  return {
    root,
    db,
    sessions,
    messages,
    deliveries,
    takeOver: createTakeOver({ db, messages, deliveries, sessions }),
    agentId: agent.id,
    chatId,
    newSession: () => sessions.ensure(agent.id, chatId, null, Date.now()),
    [Symbol.dispose]() {
      db.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export interface Install extends Disposable {
  root: string;
  db: DatabaseSync;
  sessions: ReturnType<typeof createSessions>;
  messages: ReturnType<typeof createMessages>;
  deliveries: ReturnType<typeof createDeliveries>;
  takeOver: ReturnType<typeof createTakeOver>;
  agentId: string;
  chatId: string;
  newSession(): Session;
}
