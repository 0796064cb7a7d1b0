import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { Audit } from '../../src/audit/index.ts';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import type { Session } from '../../src/db/sessions.ts';
import { listAgentGroups } from '../../src/groups/agent-groups.ts';
import { ensureUser } from '../../src/people/roles.ts';
import type { Answered, Words } from '../../src/router.ts';
import type { By, Directory } from '../directory/index.ts';
import { titleProblem } from '../directory/words.ts';
import { must } from '../must.ts';
import { createGuesses } from './guesses.ts';
import { createOwnerCodes, looksLikeCode } from './owner-code.ts';
import { isUnverified } from './unverified.ts';
import { welcome } from './welcome.ts';

/** An owner code, sent in a chat. */

export interface OwnerWordsParts {
  db: DatabaseSync;
  audit: Audit;
  directory: Pick<Directory, 'grantRole' | 'createChat' | 'wire'>;
  /** Its sandbox is to start. After the commit. */
  begin(session: Session): void;
}

const WRONG = 'This is no code that I know: it is mistyped, was used, or is too old. `ncl owner-code` makes a new one.';
const BURNT = `That was an owner code, and everybody here can read it: it is void now. \`ncl owner-code\` makes a new one; send it to me alone.`;

const UNVERIFIED =
  'Anybody could have written this under your name, so that it makes nobody the owner. The code is still good: docs/channels has what makes a sender known.';

export function createOwnerWords({ db, audit, directory, begin }: OwnerWordsParts): Words {
  const codes = createOwnerCodes(db);
  const guesses = createGuesses();
  const known = db.prepare(
    'SELECT 1 FROM user_roles WHERE user_id = ?1 UNION ALL SELECT 1 FROM agent_group_members WHERE user_id = ?1 LIMIT 1',
  );
  const chat = db.prepare('SELECT id FROM messaging_groups WHERE channel_type = ? AND platform_id = ?');
  const wired = db.prepare('SELECT agent_group_id FROM messaging_group_agents WHERE messaging_group_id = ?');
  const reach = db.prepare(
    `INSERT INTO user_dms (user_id, channel_type, messaging_group_id, resolved_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET messaging_group_id = excluded.messaging_group_id, resolved_at = excluded.resolved_at`,
  );

  function chatOf({ channelType, platformId, senderName }: InboundEvent, by: By, now: number): string {
    const found = chat.get(channelType, platformId);
    if (found) return String(found.id);
    const name = titleProblem(senderName) === undefined ? { name: senderName } : {};
    return must(directory.createChat({ channelType, platformId, ...name, isGroup: false }, by, now)).id;
  }

  /** The agent that speaks there: the code's, or whoever listens already, or the first. */
  function agentFor(chatId: string, wanted: string | null, by: By, now: number) {
    const there = wired.all(chatId).map((row) => String(row.agent_group_id));
    const all = listAgentGroups(db);
    const agent = all.find(({ id }) => id === (wanted ?? there[0])) ?? all[0];
    if (agent && !there.includes(agent.id)) {
      must(directory.wire({ messagingGroupId: chatId, agentGroupId: agent.id }, by, now));
    }
    return agent;
  }

  function admit(event: InboundEvent, now: number): Answered {
    const { senderId, senderName, channelType, platformId } = event;
    const by: By = { actor: senderId, scope: null, detail: { by: 'owner code' } };
    const { agentGroupId } = codes.use(event.text, senderId, now);
    ensureUser(db, senderId, senderName, now);
    audit.record(
      { actor: senderId, action: 'owner-code.used', subject: senderId, detail: { channelType, platformId } },
      now,
    );
    const granted = directory.grantRole({ userId: senderId, role: 'owner', agentGroupId: null }, by, now);
    if (!granted.ok && granted.code !== 'NC_EXISTS') must(granted);
    const chatId = chatOf(event, by, now);
    reach.run(senderId, channelType, chatId, isoTime(now));
    const agent = agentFor(chatId, agentGroupId, by, now);
    if (!agent) return says('You are the owner now. There is no agent yet: `ncl init-first-agent` makes one.');
    const session = welcome(db, agent.id, chatId, now);
    return {
      text: `You are the owner now, and ${agent.assistantName} is here for you.`,
      after: () => session && begin(session),
    };
  }

  function burn({ text, senderId, channelType, platformId }: InboundEvent, now: number): Answered {
    codes.use(text, senderId, now);
    const detail = { channelType, platformId };
    audit.record({ actor: senderId, action: 'owner-code.burnt', subject: senderId, detail }, now);
    return says(BURNT);
  }

  return {
    mayBe: ({ text }) => looksLikeCode(text),
    answer(event, now) {
      const { channelType, senderId } = event;
      if (event.isGroup) return codes.isOpen(event.text, now) ? burn(event, now) : undefined;
      // Whoever writes under this name the next time would be the owner.
      if (isUnverified(senderId)) return codes.isOpen(event.text, now) ? says(UNVERIFIED) : undefined;
      const clock = performance.now();
      const over = guesses.isOver(channelType, senderId, clock);
      if (!over && codes.isOpen(event.text, now)) return admit(event, now);
      if (!over && guesses.count(channelType, senderId, clock)) {
        audit.record({ actor: senderId, action: 'owner-code.guessed', subject: channelType }, now);
      }
      // Somebody who talks to an agent may well write to it what looks like a code.
      if (known.get(senderId)) return undefined;
      return over ? { dropped: 'guessing-codes' } : says(WRONG);
    },
  };
}

function says(text: string): Answered {
  return { text, after() {} };
}
