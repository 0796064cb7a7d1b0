import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import { newId } from '../../src/db/ids.ts';
import { errorText } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import { channelOf } from './approvers.ts';

/** The chat in which a user can be spoken to alone. */

export interface Place {
  channelType: string;
  platformId: string;
}

export interface ReachParts {
  db: DatabaseSync;
  adapter(channelType: string): Pick<ChannelAdapter, 'openDm'> | undefined;
  log: Logger;
}

/** A platform that doesn't answer must not keep the next one from being asked. */
const OPEN_MS = 10_000;

/** Never rejects; undefined when there is no way to them. */
export type Reach = (userId: string) => Promise<Place | undefined>;

export function createReach({ db, adapter, log }: ReachParts): Reach {
  const cached = db.prepare(
    `SELECT g.platform_id FROM user_dms d JOIN messaging_groups g ON g.id = d.messaging_group_id
     WHERE d.user_id = ? AND d.channel_type = ?`,
  );
  // A chat of two in which they spoke last: nobody else is there.
  const spoken = db.prepare(
    `SELECT g.platform_id FROM messaging_groups g JOIN sessions s ON s.messaging_group_id = g.id
     WHERE g.channel_type = ?2 AND g.is_group = 0 AND ?1 =
       (SELECT user_id FROM messages WHERE session_id = s.id AND direction = 'in' AND kind = 'chat' ORDER BY seq DESC LIMIT 1)
     LIMIT 1`,
  );
  return async (userId) => {
    const channelType = channelOf(userId);
    const found = cached.get(userId, channelType) ?? spoken.get(userId, channelType);
    if (found) return { channelType, platformId: String(found.platform_id) };
    try {
      const opening = adapter(channelType)?.openDm?.(userId.slice(channelType.length + 1));
      const platformId = opening && (await within(OPEN_MS, opening));
      return platformId === undefined ? undefined : { channelType, platformId };
    } catch (error) {
      log.warn('a user could not be reached', { userId, error: errorText(error) });
      return undefined;
    }
  };
}

async function within<T>(ms: number, call: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined).unref();
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}

/** So that they are found there the next time. Inside a transaction; the user has a row. */
export function rememberDm(db: DatabaseSync, userId: string, { channelType, platformId }: Place, now: number): void {
  db.prepare(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  ).run(newId('mg', now), channelType, platformId, isoTime(now));
  db.prepare(
    `INSERT INTO user_dms (user_id, channel_type, messaging_group_id, resolved_at)
     SELECT ?1, ?2, id, ?4 FROM messaging_groups WHERE channel_type = ?2 AND platform_id = ?3
     ON CONFLICT DO UPDATE SET messaging_group_id = excluded.messaging_group_id, resolved_at = excluded.resolved_at`,
  ).run(userId, channelType, platformId, isoTime(now));
}
