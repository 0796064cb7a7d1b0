import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { openCentral } from '../../src/db/connection.ts';
import { addScriptedChats } from '../support/scripted/platform.ts';

/** Installs to be broken: made once, copied for each run. */

export const CHATS = ['a', 'b', 'c'];
export const GIFT = 'a gift\n';

export interface Template extends Disposable {
  copy(): string;
}

export function createTemplate(): Template {
  const made = mkdtempSync(join(tmpdir(), 'nanoclaw-template-'));
  initFirstAgent(made, { name: 'Andy', provider: 'demo', timezone: 'Europe/Berlin' });
  addScriptedChats(made, CHATS);
  addDestinations(made);
  writeFileSync(join(agentFolder(made), 'gift.txt'), GIFT);
  return {
    copy() {
      const home = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-fault-')));
      cpSync(made, home, { recursive: true });
      return home;
    },
    [Symbol.dispose]: () => rmSync(made, { recursive: true, force: true }),
  };
}

export function agentFolder(home: string): string {
  const groups = join(home, 'groups');
  return join(groups, readdirSync(groups)[0] ?? '');
}

/** Each chat under its name, so that an agent may be asked to tell another one. */
function addDestinations(home: string): void {
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  const agent = String(db.prepare('SELECT id FROM agent_groups').get()?.id);
  const add = db.prepare("INSERT INTO agent_destinations VALUES (?, ?, 'channel', ?, ?)");
  for (const chat of CHATS) add.run(agent, chat, `mg-${chat}`, new Date().toISOString());
  db.close();
}
