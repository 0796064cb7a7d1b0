import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { installSlug } from '../../src/install-slug.ts';

/** What a host that has ended must not leave: processes, groups, sockets, scratch, files of nobody, a damaged database. */

export function leftoverFiles(home: string): string[] {
  const sessions = join(home, 'data/v2-sessions');
  const list = (pattern: string) => globSync(pattern, { cwd: sessions });
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  try {
    const known = db.prepare('SELECT 1 FROM messages WHERE id = ?');
    const inbox = list('*/*/inbound/inbox/*').filter((path) => !known.get(path.split('/').at(-1) ?? ''));
    return [
      ...list('*/*/inbound/.*').map((path) => `a temporary file: ${path}`),
      ...list('*/*/box/outbox/*').map((path) => `an outbox of a settled message: ${path}`),
      ...inbox.map((path) => `an inbox of no message: ${path}`),
    ];
  } finally {
    db.close();
  }
}

/** After the host has ended. */
export function leftovers(home: string): string[] {
  return [
    ...processesOf(home).map((line) => `a process: ${line}`),
    ...groupsOf(home).map((path) => `a control group: ${path}`),
    ...scratchOf(join(home, 'data/run')).map((path) => `scratch: ${path}`),
    ...globSync('data/*.sock', { cwd: home }).map((path) => `a socket: ${path}`),
    ...mailboxProblems(home),
    ...databaseProblems(home),
  ];
}

/** By what they were started with, where they stand, and what is mounted for them. */
export function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const isOurs =
          command.includes(home) || readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(`${home}/data/`);
        // One that has ended, and only waits for its parent, has neither.
        return isOurs ? [`${pid} ${command.slice(0, 200)}`] : [];
      } catch {
        return [];
      }
    });
}

function groupsOf(home: string): string[] {
  const label = `nanoclaw-${installSlug(home)}`;
  return globSync([`/sys/fs/cgroup/${label}`, `/sys/fs/cgroup/*/${label}`]);
}

function scratchOf(run: string): string[] {
  if (!existsSync(run)) return [];
  const entries = readdirSync(run, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

function mailboxProblems(home: string): string[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  try {
    const sessions = db.prepare('SELECT id, agent_group_id, received_seq, drained FROM sessions').all();
    return sessions.flatMap((session) => {
      const box = join(home, 'data/v2-sessions', String(session.agent_group_id), String(session.id), 'box');
      const file = join(box, 'outbound.db');
      const problems = session.drained === 1 ? [] : ['it is not drained'];
      const journal = statSync(`${file}-journal`, { throwIfNoEntry: false });
      if (journal && journal.size > 0) problems.push('a journal lies beside outbound.db');
      else if (existsSync(file)) problems.push(...unread(file, Number(session.received_seq)));
      return problems.map((problem) => `session ${session.id}: ${problem}`);
    });
  } finally {
    db.close();
  }
}

function unread(file: string, receivedSeq: number): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const held = db.prepare("SELECT message_id FROM processing_ack WHERE status = 'processing'").all();
    const rows = db.prepare('SELECT id FROM messages_out WHERE seq > ?').all(receivedSeq);
    return [...held.map((row) => `holds ${row.message_id}`), ...rows.map((row) => `was not taken over: ${row.id}`)];
  } finally {
    db.close();
  }
}

function databaseProblems(home: string): string[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'));
  try {
    const integrity = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row.integrity_check));
    const keys = db.prepare('PRAGMA foreign_key_check').all();
    return [
      ...integrity.filter((line) => line !== 'ok').map((line) => `the database: ${line}`),
      ...keys.map((row) => `a foreign key: ${JSON.stringify(row)}`),
    ];
  } finally {
    db.close();
  }
}
