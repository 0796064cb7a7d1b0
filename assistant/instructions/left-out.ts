import type { DatabaseSync } from 'node:sqlite';
import type { Audit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { GroupSettingsTable } from './group-settings.ts';
import type { LeftOutSkill } from './skills/index.ts';

/** Skills that an agent should have had: told where somebody waits for it, once for each reason. */

export interface LeftOutParts {
  db: DatabaseSync;
  settings: GroupSettingsTable;
  messages: Pick<Messages, 'asked'>;
  takeOver: Pick<TakeOver, 'say'>;
  audit: Audit;
  deliver(messageIds: readonly string[]): void;
}

/** In one message: the others are named. */
const SHOWN = 5;

export function createLeftOutSkills({ db, settings, messages, takeOver, audit, deliver }: LeftOutParts) {
  return {
    /** At each start. */
    tell(session: Session, leftOut: readonly LeftOutSkill[], now: number): void {
      const id = session.agentGroupId;
      const told = settings.told(id);
      const isSame = Object.keys(told).length === leftOut.length;
      const news = leftOut.filter(({ name, sentence }) => told[name] !== sentence);
      if (isSame && news.length === 0) return;
      const open = messages.asked(session.id);
      // Nobody would hear it: it stays news.
      if (news.length > 0 && !open) return;
      const notes = transaction(db, () => {
        settings.setTold(id, Object.fromEntries(leftOut.map(({ name, sentence }) => [name, sentence])), now);
        for (const { name, sentence } of news) {
          audit.record(
            { actor: 'host', action: 'skill.left-out', subject: id, detail: { name, reason: sentence } },
            now,
          );
        }
        return open && news.length > 0 ? [takeOver.say(open, session.id, textOf(news), open.id, now)] : [];
      });
      deliver(notes);
    },
  };
}

function textOf(news: readonly LeftOutSkill[]): string {
  const lines = news
    .slice(0, SHOWN)
    .map(({ name, sentence }) => `⚠️ I have to do without the skill “${name}”: ${sentence}`);
  const more = news.slice(SHOWN).map(({ name }) => name);
  return [...lines, ...(more.length > 0 ? [`The same goes for ${more.join(', ')}.`] : [])].join('\n');
}
