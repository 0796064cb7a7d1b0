import { createHash, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { atOnce, nextRevision, readFact, writeFact } from './database.ts';

/** Who may come in. Only hashes are kept: whoever reads the file can't log in by it. */

export const DEFAULT_PORT = 8787;
const LINK_MS = 10 * 60_000;
/** Of a browser that isn't used. */
const LOGIN_MS = 30 * 24 * 3_600_000;
/** How exactly its last use is written down. */
const SEEN_MS = 3_600_000;

const USER = /^[a-z0-9][a-z0-9_-]{0,31}$/;
export const USER_RULE = 'A user name has small letters, digits, dashes and underscores; 32 at most.';
export const isUser = (name: string): boolean => USER.test(name);

export interface Login {
  user: string;
  /** Names this login, and opens nothing. */
  hash: string;
}

/** A link that opens the page as this user, once, in the next ten minutes. Works beside a running host. */
export function makeLoginLink(db: DatabaseSync, user: string, now: number): string {
  const token = newToken();
  atOnce(db, () => {
    ensureUser(db, user, now);
    db.prepare('DELETE FROM links WHERE expires_at <= ?').run(isoTime(now));
    db.prepare('INSERT INTO links (hash, user, expires_at) VALUES (?, ?, ?)').run(
      hashOf(token),
      user,
      isoTime(now + LINK_MS),
    );
  });
  // Behind the #, it reaches neither a log nor what fetches links ahead of a person.
  return `${readFact(db, 'origin') ?? `http://127.0.0.1:${DEFAULT_PORT}`}/login#${token}`;
}

/** The user, and a chat of that user's own: it has the user's name as its id. */
export function ensureUser(db: DatabaseSync, user: string, now: number): void {
  const made = db.prepare('INSERT OR IGNORE INTO users (name, created_at) VALUES (?, ?)').run(user, isoTime(now));
  if (made.changes === 0) return;
  db.prepare('INSERT OR IGNORE INTO chats (id, user, name, created_at, rev) VALUES (?, ?, ?, ?, ?)').run(
    user,
    user,
    'Main',
    isoTime(now),
    nextRevision(db),
  );
}

/** Uses a link up. Returns what the browser keeps, or undefined when it opens nothing any more. */
export function logIn(db: DatabaseSync, token: string, now: number): string | undefined {
  return atOnce(db, () => {
    const used = db.prepare('DELETE FROM links WHERE hash = ? RETURNING user, expires_at').get(hashOf(token));
    if (!used || String(used.expires_at) <= isoTime(now)) return undefined;
    const kept = newToken();
    db.prepare('DELETE FROM logins WHERE seen_at <= ?').run(isoTime(now - LOGIN_MS));
    db.prepare('INSERT INTO logins (hash, user, created_at, seen_at) VALUES (?, ?, ?, ?)').run(
      hashOf(kept),
      String(used.user),
      isoTime(now),
      isoTime(now),
    );
    return kept;
  });
}

export function findLogin(db: DatabaseSync, token: string, now: number): Login | undefined {
  const hash = hashOf(token);
  const row = db.prepare('SELECT user, seen_at FROM logins WHERE hash = ?').get(hash);
  if (!row) return undefined;
  const unused = now - Date.parse(String(row.seen_at));
  if (unused >= LOGIN_MS) return undefined;
  if (unused >= SEEN_MS) db.prepare('UPDATE logins SET seen_at = ? WHERE hash = ?').run(isoTime(now), hash);
  return { user: String(row.user), hash };
}

export function logOut(db: DatabaseSync, { user, hash }: Login, everywhere: boolean): void {
  if (everywhere) db.prepare('DELETE FROM logins WHERE user = ?').run(user);
  else db.prepare('DELETE FROM logins WHERE hash = ?').run(hash);
}

/** Cookies know no ports: two installs on this machine must not take each other's. */
export function cookieName(db: DatabaseSync): string {
  const known = readFact(db, 'cookie');
  if (known) return known;
  const name = `nanoclaw_${randomBytes(6).toString('hex')}`;
  writeFact(db, 'cookie', name);
  return name;
}

/** 256 bits: nobody guesses it, and nothing has to be counted. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
