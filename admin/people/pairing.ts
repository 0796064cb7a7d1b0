import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { openCentral } from '../../src/db/connection.ts';
import { pathsFor } from '../../src/paths.ts';
import { hashOf } from './owner-code.ts';

/** What has become of an owner code, for whoever waits at this machine beside the host. */

export interface Person {
  id: string;
  /** As their platform calls them. */
  name: string;
}

export type Pairing =
  | { state: 'open' }
  /** Nobody has sent it in time. */
  | { state: 'late' }
  /** It was read by others before it could be used. */
  | { state: 'burnt' }
  /** `greeted`: the agent has said something there. */
  | { state: 'used'; by: Person; greeted: boolean };

export interface Pairings extends Disposable {
  look(now?: number): Pairing;
}

/** `account`: where it is waited for; an earlier code will do. */
export function watchPairing(home: string, account: string, code: string): Pairings {
  const { db: file, backups } = pathsFor(home);
  const db = openCentral({ file, backups, now: Date.now() });
  db.exec('PRAGMA busy_timeout = 5000');
  const hash = hashOf(code);
  const find = db.prepare('SELECT used_at, expires_at FROM owner_codes WHERE code_hash = ?');
  const greeting = db.prepare(
    `SELECT 1 FROM user_dms u JOIN sessions s ON s.messaging_group_id = u.messaging_group_id
     JOIN messages m ON m.session_id = s.id JOIN deliveries d ON d.message_id = m.id
     WHERE u.user_id = ? AND u.channel_type = ? AND m.direction = 'out' AND d.status = 'sent' LIMIT 1`,
  );
  return {
    look(now = Date.now()) {
      const row = find.get(hash);
      const owner = ownerOn(db, account);
      if (owner) return { state: 'used', by: owner, greeted: greeting.get(owner.id, account) !== undefined };
      if (row?.used_at != null) return { state: 'burnt' };
      return { state: !row || String(row.expires_at) <= isoTime(now) ? 'late' : 'open' };
    },
    [Symbol.dispose]: () => db.close(),
  };
}

/** An owner whom the host can write to on this channel; the machine's own user is one of the terminal alone. */
export function ownerOn(db: DatabaseSync, channelType: string): Person | undefined {
  const row = db
    .prepare(
      `SELECT u.id, u.display_name FROM user_dms d
       JOIN user_roles r ON r.user_id = d.user_id AND r.role = 'owner' JOIN users u ON u.id = d.user_id
       WHERE d.channel_type = ? ORDER BY d.resolved_at LIMIT 1`,
    )
    .get(channelType);
  return row && { id: String(row.id), name: String(row.display_name ?? row.id) };
}
