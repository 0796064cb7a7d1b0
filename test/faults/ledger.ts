import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Delivered, Platform, SentEvent } from '../support/scripted/platform.ts';
import { GIFT } from './install.ts';
import type { Kind } from './plan.ts';

/** Compares what the platform has sent and got with what the host has written down. Says what is lost, doubled or out of order. */

export interface Expected {
  /** The platform's id. */
  id: string;
  chat: string;
  kind: Kind;
  marker: string;
}

/** Something that was to be said at a time. */
export interface Reminder {
  chat: string;
  marker: string;
}

export interface Audit {
  problems: string[];
  /** Deliveries that the platform dropped, since it had them. */
  dropped: number;
  /** Files that were sent again by a tool that ran again. */
  filesAgain: number;
}

interface Inbound {
  id: string;
  status: string;
  outcome: string | null;
  processAfter: string | null;
  session: string | null;
  content: string;
  seq: number;
}

interface Outbound {
  id: string;
  chat: string;
  inReplyTo: string | null;
  answers: string[];
  progress: boolean;
  /** Only the beginning of an answer: neither that nor a notice. */
  draft: boolean;
  status: string;
}

/** The host may run or not. */
export function audit(
  home: string,
  platform: Platform,
  expected: readonly Expected[],
  reminders: readonly Reminder[] = [],
): Audit {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true });
  try {
    const problems: string[] = [];
    const outbound = readOutbound(db);
    const stopped = new Set(expected.filter(({ kind }) => kind === 'stop' || kind === 'clear').map(({ chat }) => chat));
    const hostile = new Set(expected.filter(({ kind }) => kind === 'hostile').map(({ chat }) => chat));
    for (const message of expected) {
      const event = platform.events.get(message.id);
      const rows = readInbound(db, message.id);
      const [row] = rows;
      const say = (problem: string) =>
        problems.push(`${message.marker} (${message.kind} in ${message.chat}): ${problem}`);
      if (!row || rows.length > 1) say(`${rows.length} rows; the platform was told ${toldOf(event)}`);
      if (!row) continue;
      const may = { stopped: stopped.has(message.chat), notice: hostile.has(message.chat) };
      for (const problem of outcomeProblems(message, row, outbound, platform, may)) say(problem);
      if (message.kind === 'attachment') for (const problem of fileProblems(home, row, message.marker)) say(problem);
    }
    problems.push(...unknownProblems(outbound, platform), ...orderProblems(db, outbound, platform));
    problems.push(...leftOpen(db), ...openDrafts(db));
    problems.push(
      ...reminders.flatMap((one) => reminderProblems(db, platform, one, stopped.has(one.chat))),
      ...openQuestions(db),
    );
    const files = expected.filter(({ kind }) => kind === 'file');
    const sentFiles = [...platform.delivered.values()].filter((said) => said.files.length > 0);
    const bad = sentFiles.filter((said) => said.files.some((file) => file.size !== GIFT.length));
    if (bad.length > 0) problems.push(`${bad.length} files came cut or empty`);
    const dropped = [...platform.delivered.values()].reduce((sum, { repeats }) => sum + repeats, 0);
    return { problems, dropped, filesAgain: Math.max(0, sentFiles.length - files.length) };
  } finally {
    db.close();
  }
}

function outcomeProblems(
  { chat, kind, marker }: Expected,
  row: Inbound,
  outbound: readonly Outbound[],
  platform: Platform,
  may: { stopped: boolean; notice: boolean },
): string[] {
  const isCommand = kind === 'answer' || kind === 'command' || kind === 'stop' || kind === 'clear';
  const replies = outbound.filter((out) => (isCommand ? out.inReplyTo === row.id : out.answers.includes(row.id)));
  const said = replies.filter((out) => platform.delivered.has(out.id));
  const ofHost = outbound.filter((out) => out.id.startsWith('note-') && !out.draft);
  const notices = ofHost.filter((out) => out.chat === chat && out.status === 'sent');
  const echoed = [...platform.delivered.values()].filter((one) => !one.progress && count(one.text, marker) > 0);
  const echoes = echoed.reduce((sum, { text }) => sum + count(text, marker), 0);
  const problems: string[] = [];
  const allowed = row.outcome === 'reply' || may[row.outcome as keyof typeof may] === true;
  if (!allowed) problems.push(`its outcome is ${row.outcome} (${row.status})`);
  if (row.outcome === 'reply' && said.length !== 1) problems.push(`${said.length} replies were said`);
  if (row.outcome !== 'reply' && said.length > 0)
    problems.push(`${row.outcome}, and yet ${said.length} replies were said`);
  if (row.outcome === 'notice' && notices.length === 0) problems.push('no notice was said');
  const echoing = kind === 'tool' || kind === 'attachment' || kind === 'tell' || kind === 'stream';
  if (echoing && row.outcome === 'reply' && echoes !== 1) problems.push(`its answer was said ${echoes} times`);
  // Of a question, its card stands there as well as what came of it.
  if (echoes > 1 && kind !== 'question') problems.push(`doubled: ${echoed.map(({ id }) => id).join(', ')}`);
  return problems;
}

function fileProblems(home: string, row: Inbound, text: string): string[] {
  const [path] = [...row.content.matchAll(/"path":"(inbox[^"]+)"/g)].map((match) => match[1]);
  const agent = row.session?.split('/')[0] ?? '';
  const file = join(home, 'data/v2-sessions', agent, row.session?.split('/')[1] ?? '', 'inbound', path ?? '');
  if (path === undefined || !existsSync(file)) return [`its file is not there: ${path}`];
  return readFileSync(file, 'utf8') === text ? [] : ['its file has other content'];
}

/** Both ways: nothing is said that isn't written down, nothing noted as sent that the platform hasn't got. */
function unknownProblems(outbound: readonly Outbound[], platform: Platform): string[] {
  const sent = new Set(outbound.filter(({ status }) => status === 'sent').map(({ id }) => id));
  return [
    ...[...platform.delivered.keys()].filter((id) => !sent.has(id)).map((id) => `said, and not noted as sent: ${id}`),
    ...[...sent]
      .filter((id) => !platform.delivered.has(id) && !platform.former.has(id))
      .map((id) => `noted as sent, and never said: ${id}`),
  ];
}

function orderProblems(db: DatabaseSync, outbound: readonly Outbound[], platform: Platform): string[] {
  const problems: string[] = [];
  const arrived = [...platform.delivered.values()];
  for (const chat of new Set(arrived.map((one) => one.chat))) {
    const said = arrived.filter((one) => one.chat === chat).map(({ id }) => id);
    const queued = outbound.filter((out) => out.chat === chat && platform.delivered.has(out.id)).map(({ id }) => id);
    if (said.join() !== queued.join())
      problems.push(`chat ${chat}: said as ${said.join()}, queued as ${queued.join()}`);
    problems.push(...answerOrder(db, chat, arrived));
  }
  return problems;
}

/** Answers follow the order of what they answer, but for a message that was put off after a failure. */
function answerOrder(db: DatabaseSync, chat: string, arrived: readonly Delivered[]): string[] {
  const of = db.prepare(
    `SELECT i.seq, i.process_after FROM messages o JOIN messages i ON i.id = o.in_reply_to
     WHERE o.id = ? AND o.content LIKE '%"answers"%' AND i.session_id IS NOT NULL`,
  );
  const rows = arrived.filter((one) => one.chat === chat && !one.progress).flatMap(({ id }) => of.all(id));
  const seqs = rows.filter((row) => row.process_after === null).map((row) => Number(row.seq));
  return seqs.some((seq, index) => seq < (seqs[index - 1] ?? 0))
    ? [`chat ${chat}: answered in the order ${seqs.join()}`]
    : [];
}

/** Each time of a task comes once, and is answered once, or stopped with its chat. */
function reminderProblems(
  db: DatabaseSync,
  platform: Platform,
  { chat, marker }: Reminder,
  mayStop: boolean,
): string[] {
  const runs = db
    .prepare('SELECT r.status FROM task_runs r JOIN tasks t ON t.id = r.task_id WHERE t.prompt LIKE ?')
    .all(`%${marker}`)
    .map(({ status }) => status);
  const said = [...platform.delivered.values()]
    .filter((one) => one.chat === chat && !one.progress)
    .reduce((sum, { text }) => sum + count(text, `⏰ ${marker}`), 0);
  const isRight = (runs.join() === 'answered' && said === 1) || (mayStop && runs.join() === 'stopped' && said === 0);
  return isRight ? [] : [`the reminder ${marker} ran as ${runs.join() || 'nothing'}, and was said ${said} times`];
}

/** What was asked was asked once, and answered. */
function openQuestions(db: DatabaseSync): string[] {
  const asked = db.prepare('SELECT title, count(*) AS n, min(status) AS status FROM questions GROUP BY title').all();
  return asked.flatMap(({ title, n, status }) =>
    n === 1 && status === 'answered' ? [] : [`“${title}” was asked ${n} times, and is ${status}`],
  );
}

/** An answer that began and neither became one nor was closed. */
function openDrafts(db: DatabaseSync): string[] {
  const open = db.prepare('SELECT id, draft FROM sessions WHERE draft IS NOT NULL').all();
  return open.map(({ id, draft }) => `${id} has an open draft, ${draft}`);
}

/** What the host has to say to an agent waits for its next turn, and no longer. */
export function leftOpen(db: DatabaseSync): string[] {
  const open = db
    .prepare(
      `SELECT id, kind, status, content FROM messages m WHERE direction = 'in' AND status IN ('pending', 'paused')
         AND (kind <> 'system' OR EXISTS (SELECT 1 FROM messages later WHERE later.session_id = m.session_id
           AND later.direction = 'in' AND later.seq > m.seq AND later.outcome = 'reply'))`,
    )
    .all();
  const unsent = db.prepare("SELECT message_id, status FROM deliveries WHERE status IN ('queued', 'sending')").all();
  return [
    ...open.map((row) => `left ${row.status}: ${row.id} ${row.kind} ${row.content}`),
    ...unsent.map((row) => `left ${row.status}: ${row.message_id}`),
  ];
}

function readInbound(db: DatabaseSync, platformId: string): Inbound[] {
  const rows = db
    .prepare(
      `SELECT m.*, s.agent_group_id || '/' || s.id AS folder FROM messages m LEFT JOIN sessions s ON s.id = m.session_id
       WHERE direction = 'in' AND platform_message_id = ?`,
    )
    .all(platformId);
  return rows.map((row) => ({
    id: String(row.id),
    status: String(row.status),
    outcome: row.outcome === null ? null : String(row.outcome),
    processAfter: row.process_after === null ? null : String(row.process_after),
    session: row.folder === null ? null : String(row.folder),
    content: String(row.content),
    seq: Number(row.seq),
  }));
}

function readOutbound(db: DatabaseSync): Outbound[] {
  const rows = db
    .prepare(
      `SELECT m.id, m.platform_id, m.in_reply_to, m.content, d.status FROM deliveries d JOIN messages m ON m.id = d.message_id
       WHERE m.channel_type = 'scripted' ORDER BY d.rowid`,
    )
    .all();
  return rows.map((row) => {
    const content = JSON.parse(String(row.content)) as { answers?: string[]; progress?: boolean; draft?: boolean };
    return {
      id: String(row.id),
      chat: String(row.platform_id),
      inReplyTo: row.in_reply_to === null ? null : String(row.in_reply_to),
      answers: content.answers ?? [],
      progress: content.progress ?? false,
      draft: content.draft ?? false,
      status: String(row.status),
    };
  });
}

function toldOf(event: SentEvent | undefined): string {
  return event?.told.join(', ') || 'nothing';
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
