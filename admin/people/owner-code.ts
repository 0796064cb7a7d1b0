import { randomInt, scryptSync } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';

/** One-time codes that make whoever sends one the owner: made at this machine, used in any channel. */

/** Without I, O, 0 and 1: 32 letters, 5 bits each. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const FORM = /^([A-HJ-NP-Z2-9]{4})-([A-HJ-NP-Z2-9]{4})$/i;
/** Those that are over may be forgotten; the audit log remembers. */
const KEPT_MS = 24 * 3_600_000;

/** Inside a transaction. The code is in nobody's hands but the caller's: its hash is what is kept. */
export function makeOwnerCode(db: DatabaseSync, agentGroupId: string | null, minutes: number, now: number): string {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const code = `${letters.slice(0, 4)}-${letters.slice(4)}`;
  db.prepare('DELETE FROM owner_codes WHERE expires_at < ?').run(isoTime(now - KEPT_MS));
  db.prepare('INSERT INTO owner_codes (code_hash, agent_group_id, created_at, expires_at) VALUES (?, ?, ?, ?)').run(
    hashOf(code),
    agentGroupId,
    isoTime(now),
    isoTime(now + minutes * 60_000),
  );
  return code;
}

export function looksLikeCode(text: string): boolean {
  return FORM.test(text.trim());
}

export interface OwnerCodes {
  /** Whether this is a code that may be used. */
  isOpen(text: string, now: number): boolean;
  /** Ends it. Inside a transaction. */
  use(text: string, userId: string, now: number): { agentGroupId: string | null };
}

export function createOwnerCodes(db: DatabaseSync): OwnerCodes {
  const any = db.prepare('SELECT 1 FROM owner_codes WHERE used_at IS NULL AND expires_at > ? LIMIT 1');
  const open = db.prepare('SELECT 1 FROM owner_codes WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?');
  const use = db.prepare(
    'UPDATE owner_codes SET used_at = ?, used_by = ? WHERE code_hash = ? RETURNING agent_group_id',
  );
  return {
    // Hashing takes time, and most of the time there is nothing to compare with.
    isOpen: (text, now) => any.get(isoTime(now)) !== undefined && open.get(hashOf(text), isoTime(now)) !== undefined,
    use(text, userId, now) {
      const row = use.get(isoTime(now), userId, hashOf(text));
      return { agentGroupId: row?.agent_group_id == null ? null : String(row.agent_group_id) };
    },
  };
}

/** Slow on purpose, 3 ms: forty bits could be tried out in minutes by whoever has a copy of the database. */
export function hashOf(text: string): string {
  return scryptSync(text.trim().toUpperCase(), 'nanoclaw owner code', 32, { N: 1024 }).toString('hex');
}
