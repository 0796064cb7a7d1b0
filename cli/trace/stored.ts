import { DatabaseSync } from 'node:sqlite';
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

const NAMED = `SELECT id FROM messages WHERE id >= ?1 AND id < ?1 || char(1114111)
  UNION SELECT id FROM messages WHERE platform_message_id = ?1
  UNION SELECT message_id FROM deliveries WHERE platform_message_id = ?1 LIMIT 4`;

const ABOUT = `SELECT id, session_id AS session, channel_type AS channel, platform_id AS chat, thread_id AS thread,
    platform_message_id AS platformMessageId, user_id AS sender, timestamp, status, outcome, tries, process_after AS nextTry,
    iif(json_valid(content), substr(content ->> 'text', 1, 100), NULL) AS text
  FROM messages WHERE id = coalesce((SELECT i.id FROM messages o JOIN messages i ON i.id = o.in_reply_to WHERE o.id = ?1), ?1)`;

/** What the host itself says has no number in the mailbox. */
const STEPS = `WITH mine AS (SELECT *, iif(json_valid(content), content, '{}') AS body FROM messages WHERE session_id IS ?1
    AND (id = ?2 OR direction = 'out' AND (in_reply_to = ?2 OR instr(content, '"' || ?2 || '"') > 0)))
  SELECT timestamp AS at, 'channel' AS who, 'written' AS what, json_object('messageId', id) AS fields FROM mine WHERE direction = 'in'
  UNION ALL SELECT created_at, 'host', 'accepted', json_object('messageId', id) FROM mine WHERE direction = 'in'
  UNION ALL SELECT settled_at, 'host', 'settled', json_object('messageId', id, 'outcome', outcome, 'tries', tries)
    FROM mine WHERE settled_at IS NOT NULL
  UNION ALL SELECT timestamp, iif(seq IS NULL, 'host', 'agent'), ifnull(body ->> 'action', iif(body ->> 'progress', 'progress', 'said')),
    json_object('messageId', id, 'text', substr(body ->> 'text', 1, 100), 'reason', body ->> 'reason') FROM mine WHERE direction = 'out'
  UNION ALL SELECT created_at, 'host', 'taken over', json_object('messageId', id) FROM mine WHERE direction = 'out' AND seq IS NOT NULL
  UNION ALL SELECT d.updated_at, 'channel',
    CASE d.status WHEN 'sent' THEN 'sent' WHEN 'failed' THEN 'delivery given up' ELSE 'delivery ' || d.status END,
    json_object('messageId', id, 'attempt', d.attempts, 'platformMessageId', d.platform_message_id, 'notBefore', d.not_before,
      'error', d.error) FROM mine JOIN deliveries d ON d.message_id = id
  ORDER BY at`;

/**
 * Finds a message by its id, the beginning of one, or the platform's own; for an answer, the message that it answers. Reads
 * beside a running host, and as well without one. Throws NC_NOT_FOUND, NC_AMBIGUOUS, NC_DB_CORRUPT, NC_DATA_FOLDER.
 */
export function readStored(file: string, word: string): Stored {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
    const ids = db.prepare(NAMED).all(word);
    if (word === '' || ids[0] === undefined)
      throw new NanoError('NC_NOT_FOUND', `No message is called ${JSON.stringify(word)}.`);
    const id = ids.length === 1 ? String(ids[0].id) : word;
    const about = db.prepare(ABOUT).get(id);
    if (!about) throw new NanoError('NC_AMBIGUOUS', `It may be ${ids.map((row) => row.id).join(', ')}.`);
    const steps = db.prepare(STEPS).all(about.session ?? null, about.id ?? null);
    return {
      about,
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
