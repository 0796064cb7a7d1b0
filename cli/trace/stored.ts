import { DatabaseSync } from 'node:sqlite';
import { whyHeld } from '../../assistant/usage/held.ts';
import { asDatabaseError } from '../../src/db/connection.ts';
import { NanoError } from '../../src/errors.ts';

/** One thing that happened on a message's way. */
export interface Step {
  /** ISO-8601 UTC. */
  at: string;
  /** channel, host or agent. */
  who: string;
  what: string;
  /** Ids, figures, reasons. */
  fields: Record<string, unknown>;
}

/** What the central database knows of a message that came in, and of all that was said to it. */
export interface Stored {
  about: Record<string, unknown>;
  steps: Step[];
}

const NAMED = `SELECT id FROM messages WHERE id = ?1
  UNION SELECT id FROM messages WHERE platform_message_id = ?1
  UNION SELECT message_id FROM deliveries WHERE platform_message_id = ?1 LIMIT 4`;
const BEGINNING = NAMED.replaceAll(/(\w+) = \?1/g, '$1 >= ?1 AND $1 < ?1 || char(1114111)');
const NEWEST = `SELECT id FROM messages WHERE direction = 'in' AND kind <> 'system' ORDER BY created_at DESC, rowid DESC LIMIT 1`;

const shortened = (json: string) =>
  `iif(length(${json} ->> 'text') > 100, substr(${json} ->> 'text', 1, 99) || '…', ${json} ->> 'text')`;

const ABOUT = `SELECT id, session_id AS session, channel_type AS channel, platform_id AS chat, thread_id AS thread,
    platform_message_id AS platformMessageId, user_id AS sender, timestamp, status, outcome, tries, process_after AS nextTry,
    iif(json_valid(content), ${shortened('content')}, NULL) AS text
  FROM messages WHERE id = coalesce((SELECT i.id FROM messages o JOIN messages i ON i.id = o.in_reply_to WHERE o.id = ?1), ?1)`;

/** What the host itself says has no number in the mailbox. */
const STEPS = `WITH mine AS (SELECT *, iif(json_valid(content), content, '{}') AS body FROM messages WHERE session_id IS ?1
    AND (id = ?2 OR direction = 'out' AND (in_reply_to = ?2 OR instr(content, '"' || ?2 || '"') > 0)))
  SELECT timestamp AS at, 'channel' AS who, 'written' AS what, json_object('messageId', id) AS fields FROM mine WHERE direction = 'in'
  UNION ALL SELECT created_at, 'host', 'accepted', json_object('messageId', id) FROM mine WHERE direction = 'in'
  UNION ALL SELECT settled_at, 'host', 'settled', json_object('messageId', id, 'outcome', outcome, 'tries', tries)
    FROM mine WHERE settled_at IS NOT NULL
  UNION ALL SELECT ended_at, 'host', 'question ' || status, json_object('messageId', message_id, 'title', title, 'answer', result,
    'by', answered_by) FROM questions WHERE turn_of = ?2 AND ended_at IS NOT NULL
  UNION ALL SELECT timestamp, iif(seq IS NULL, 'host', 'agent'), ifnull(body ->> 'action', iif(body ->> 'draft', 'shown', iif(body ->> 'progress', 'progress', 'said'))),
    json_object('messageId', id, 'text', ${shortened('body')}, 'reason', body ->> 'reason') FROM mine WHERE direction = 'out'
  UNION ALL SELECT created_at, 'host', 'taken over', json_object('messageId', id) FROM mine WHERE direction = 'out' AND seq IS NOT NULL
  UNION ALL SELECT d.updated_at, 'channel',
    CASE d.status WHEN 'sent' THEN 'sent' WHEN 'failed' THEN 'delivery given up' ELSE 'delivery ' || d.status END,
    json_object('messageId', id, 'attempt', d.attempts, 'platformMessageId', d.platform_message_id, 'notBefore', d.not_before,
      'error', d.error) FROM mine JOIN deliveries d ON d.message_id = id
  ORDER BY at`;

/**
 * Finds a message by its id, the platform's own, or the beginning of one; without a name the newest that came in; for an
 * answer, the message that it answers. Reads beside a running host, and as well without one. Throws NC_NOT_FOUND, NC_AMBIGUOUS, NC_DB_CORRUPT, NC_DATA_FOLDER.
 */
export function readStored(file: string, word: string | undefined): Stored {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    const ids = find(db, word);
    if (ids[0] === undefined)
      throw new NanoError(
        'NC_NOT_FOUND',
        word === undefined ? 'There is no message yet.' : `No message is called ${JSON.stringify(word)}.`,
      );
    const about = ids.length === 1 ? db.prepare(ABOUT).get(String(ids[0].id)) : undefined;
    if (!about) throw new NanoError('NC_AMBIGUOUS', `It may be ${ids.map((row) => row.id).join(', ')}.`);
    const steps = db.prepare(STEPS).all(about.session ?? null, about.id ?? null);
    return {
      about: { ...about, ...waitsFor(db, about) },
      steps: steps.map(({ at, who, what, fields }) => {
        return { at: String(at), who: String(who), what: String(what), fields: JSON.parse(String(fields)) };
      }),
    };
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    db?.close();
  }
}

function waitsFor(db: DatabaseSync, { session, status }: Stored['about']): { waits?: string } {
  if (status !== 'pending') return {};
  const agent = db.prepare('SELECT agent_group_id AS id FROM sessions WHERE id = ?').get(String(session))?.id;
  const waits = whyHeld(db, String(agent ?? ''), Date.now());
  return waits === undefined ? {} : { waits };
}

/** A whole name goes before the beginning of another: numbers are names, too. */
function find(db: DatabaseSync, word: string | undefined) {
  if (word === undefined) return db.prepare(NEWEST).all();
  if (word === '') return [];
  const named = db.prepare(NAMED).all(word);
  return named.length > 0 ? named : db.prepare(BEGINNING).all(word);
}
