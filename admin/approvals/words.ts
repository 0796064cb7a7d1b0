import type { DatabaseSync } from 'node:sqlite';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import type { Answered } from '../../src/router.ts';
import { inline, shortId } from './card.ts';
import type { Choice, Deciding } from './deciding.ts';
import type { Table } from './table.ts';

/** Decisions by text: `/approve <id> [number] [name]`, `/deny <id>`, and the name that a decision waits for. */

export interface WordsParts {
  db: DatabaseSync;
  table: Table;
  deciding: Deciding;
  /** Whether a name may be awaited from this user. */
  isNaming(userId: string): boolean;
}

export interface ApprovalWords {
  mayBe(event: InboundEvent): boolean;
  /** Inside a transaction. */
  answer(event: InboundEvent, now: number): Answered | undefined;
}

const COMMAND = /^\s*\/(approve|deny)(?:@\S+)?(?=\s|$)/i;

export function createApprovalWords({ db, table, deciding, isNaming }: WordsParts): ApprovalWords {
  // A row in users is no right: whoever tried a code has one, and so has everybody in a public chat.
  const known = db.prepare(
    'SELECT 1 FROM user_roles WHERE user_id = ?1 UNION ALL SELECT 1 FROM agent_group_members WHERE user_id = ?1 LIMIT 1',
  );
  const taken = db.prepare(
    `SELECT 1 FROM messaging_groups g JOIN sessions s ON s.messaging_group_id = g.id OR s.messaging_group_id IS NULL
     JOIN messages m ON ifnull(m.session_id, '') = s.id AND m.direction = 'in' AND m.channel_type = g.channel_type
       AND m.platform_id = g.platform_id AND m.platform_message_id = ?3
     WHERE g.channel_type = ?1 AND g.platform_id = ?2 LIMIT 1`,
  );

  function named(event: InboundEvent, now: number): Answered | undefined {
    const { senderId, channelType, platformId, text } = event;
    const approval = text.trimStart().startsWith('/') ? undefined : table.naming(senderId, channelType, platformId);
    if (!approval || !deciding.mayDecide(senderId, approval)) return undefined;
    // Said to an agent before, and sent again by the platform: it was no name then.
    if (taken.get(channelType, platformId, event.platformMessageId)) return undefined;
    return decide({ id: approval.id, option: approval.decision ?? -1, name: text.trim() }, event, now);
  }

  function decide(choice: Choice, event: InboundEvent, now: number): Answered {
    return deciding.decide(choice, { user: event.senderId, place: event, isAnswered: true }, now);
  }

  function waiting(userId: string): string {
    const open = table.open().filter((approval) => deciding.mayDecide(userId, approval));
    const lines = open.map(({ id, title }) => `${shortId(id)} – ${inline(title, 100)}`);
    return open.length === 0
      ? 'Nothing waits for your decision.'
      : ['Say which, as in /approve <id> or /deny <id>:', ...lines].join('\n');
  }

  return {
    mayBe: ({ text, senderId }) => COMMAND.test(text) || isNaming(senderId),
    answer(event, now) {
      const [head, verb = ''] = COMMAND.exec(event.text) ?? [];
      if (head === undefined) return named(event, now);
      // Whoever isn't known here is a stranger with this, too.
      if (!known.get(event.senderId)) return undefined;
      const [prefix, ...rest] = event.text.slice(head.length).trim().split(/\s+/);
      if (!prefix) return says(waiting(event.senderId));
      // What they may not decide isn't there for them.
      const [found, second] = table
        .find(prefix.toLowerCase())
        .filter((approval) => deciding.mayDecide(event.senderId, approval));
      if (!found) return says(`There is no request ${inline(prefix, 40)} that you may decide.`);
      if (second) return says(`More than one request begins with ${inline(prefix, 40)}: give more of it.`);
      return decide({ id: found.id, ...choiceOf(verb.toLowerCase(), rest) }, event, now);
    },
  };
}

function choiceOf(verb: string, [first, ...rest]: readonly string[]): Omit<Choice, 'id'> {
  if (verb === 'deny') return { option: 'deny' };
  const number = /^\d{1,3}$/.test(first ?? '') ? Number(first) : undefined;
  const name = (number === undefined ? [first, ...rest] : rest).join(' ');
  return { option: number === undefined ? 'approve' : number - 1, ...(name !== '' && { name }) };
}

function says(text: string): Answered {
  return { text, after() {} };
}
