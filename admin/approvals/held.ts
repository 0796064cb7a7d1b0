import { constants, copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { cleanText, isoTime, truncateBytes } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Acceptance, InboundAttachment, InboundEvent, MessageChange } from '../../src/channels/adapter.ts';
import type { GroupCommit } from '../../src/db/group-commit.ts';
import type { Logger } from '../../src/log/index.ts';
import { safeName } from '../../src/mailbox/attachments.ts';
import type { NoteDrop } from '../../src/routing/drops.ts';

/** Messages that wait for a decision, with their files, and what becomes of them: taken after all, in their order, or let go. */

const MAX_EVENTS = 20;
const MAX_TEXT_BYTES = 1024 * 1024;
/** What a longer one says is what nobody could let in. */
const MAX_CHANGED_BYTES = MAX_TEXT_BYTES / MAX_EVENTS;
const MAX_FILE_BYTES = 20 * 1024 * 1024;

const Attachment = z.object({
  type: z.string(),
  name: z.string(),
  mimeType: z.string().exactOptional(),
  size: z.number().exactOptional(),
  localPath: z.string(),
});
const Event = z.object({
  channelType: z.string(),
  platformId: z.string(),
  threadId: z.string().nullable(),
  platformMessageId: z.string(),
  senderId: z.string(),
  senderName: z.string(),
  text: z.string(),
  timestamp: z.string(),
  isMention: z.boolean(),
  isGroup: z.boolean(),
  attachments: z.array(Attachment).exactOptional(),
  replyTo: z.object({ id: z.string().exactOptional(), sender: z.string(), text: z.string() }).exactOptional(),
  chatName: z.string().exactOptional(),
  webhook: z.object({ source: z.string(), event: z.string(), payload: z.unknown() }).exactOptional(),
});

export interface HeldParts {
  db: DatabaseSync;
  commit: GroupCommit;
  folder: string;
  drop: NoteDrop;
  accept(event: InboundEvent): Promise<Acceptance>;
  log: Logger;
}

export interface HeldEvents {
  /** Inside a transaction. Its files are beside it before its row is; `full`: there is no room for one more. */
  keep(approvalId: string, event: InboundEvent, now: number): 'kept' | 'repeated' | 'full';
  /** What its author says instead, or nothing: then it waits no longer. Inside a transaction; the rest runs after the commit. */
  change(change: MessageChange, now: number): () => void;
  /** With a recorded reason each. Inside a transaction; what is returned runs after the commit. */
  letGo(approvalId: string, reason: string, now: number): () => void;
  /** Hands on all that waited for an approval. False: some of it could not be taken now and is still there. Never rejects. */
  replay(approvalId: string): Promise<boolean>;
  /** Approvals that were given and whose messages wait still. */
  unreplayed(): string[];
  /** Removes files that nothing waits with. */
  tidy(): void;
}

/** What passes by itself, or by what somebody does about it. */
const LATER = new Set(['NC_DB_BUSY', 'NC_DISK_FULL', 'NC_DATA_FOLDER', 'NC_CLOCK']);

export function createHeld({ db, commit, folder, drop, accept, log }: HeldParts): HeldEvents {
  const known = db.prepare(
    'SELECT 1 FROM held_events WHERE approval_id = ? AND channel_type = ? AND platform_id = ? AND platform_message_id = ?',
  );
  const size = db.prepare(
    'SELECT count(*) AS n, ifnull(sum(octet_length(event)), 0) AS bytes FROM held_events WHERE approval_id = ?',
  );
  const add = db.prepare(
    `INSERT INTO held_events (approval_id, channel_type, platform_id, platform_message_id, event, at) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const of = db.prepare('SELECT id, event FROM held_events WHERE approval_id = ? ORDER BY id');
  const ofMessage = db.prepare(
    'SELECT id, approval_id, event FROM held_events WHERE channel_type = ? AND platform_id = ? AND platform_message_id = ?',
  );
  const rewrite = db.prepare('UPDATE held_events SET event = ? WHERE id = ?');
  const next = db.prepare('SELECT id, event FROM held_events WHERE approval_id = ? ORDER BY id LIMIT 1');
  const remove = db.prepare('DELETE FROM held_events WHERE id = ?');
  const removeAll = db.prepare('DELETE FROM held_events WHERE approval_id = ?');
  const given = db.prepare(
    "SELECT DISTINCT h.approval_id FROM held_events h JOIN approvals a ON a.id = h.approval_id WHERE a.status = 'approved'",
  );
  const waiting = db.prepare('SELECT 1 FROM held_events WHERE approval_id = ? LIMIT 1');
  const folderOf = (approvalId: string) => join(folder, approvalId);
  const read = (row: Record<string, unknown>): InboundEvent => Event.parse(JSON.parse(String(row.event)));

  /** Unless what let them go was undone. */
  function dropFiles(approvalId: string): void {
    if (waiting.get(approvalId) === undefined) rmSync(folderOf(approvalId), { recursive: true, force: true });
  }

  /** Files that fit; the text says which didn't. */
  function keepFiles(approvalId: string, event: InboundEvent): Pick<InboundEvent, 'text' | 'attachments'> {
    if (!event.attachments?.length) return { text: event.text };
    const into = folderOf(approvalId);
    mkdirSync(into, { recursive: true, mode: 0o700 });
    const names = readdirSync(into);
    let left = MAX_FILE_BYTES - names.reduce((sum, name) => sum + statSync(join(into, name)).size, 0);
    const attachments: InboundAttachment[] = [];
    const missing: string[] = [];
    for (const attachment of event.attachments) {
      const name = safeName(attachment.name, 'file');
      const bytes = statSync(attachment.localPath).size;
      const localPath = join(into, `${names.length + attachments.length + 1}-${name}`);
      if (bytes > left) {
        missing.push(`(The file ${name} was too large to wait with this message.)`);
        continue;
      }
      place(attachment.localPath, localPath);
      attachments.push({ ...attachment, localPath });
      left -= bytes;
    }
    return { text: [event.text, ...missing].join('\n').trim(), attachments };
  }

  async function replay(approvalId: string): Promise<boolean> {
    for (let row = next.get(approvalId); row; row = next.get(approvalId)) {
      const event = read(row);
      const attachments = event.attachments?.flatMap(lend);
      const acceptance = await accept({ ...event, ...(attachments && { attachments }) });
      if (acceptance.status === 'refused' && LATER.has(acceptance.code)) return false;
      const { id } = row;
      await commit.run(() => {
        if (acceptance.status === 'refused') drop(event, `replay: ${acceptance.code}`, Date.now());
        remove.run(id ?? null);
      });
      log.info('replayed', { approval: approvalId, platformMessageId: event.platformMessageId, ...acceptance });
    }
    dropFiles(approvalId);
    return true;
  }

  return {
    keep(approvalId, event, now) {
      const key = [approvalId, event.channelType, event.platformId, event.platformMessageId] as const;
      if (known.get(...key)) return 'repeated';
      const { n, bytes } = size.get(approvalId) ?? {};
      if (Number(n) >= MAX_EVENTS || Number(bytes) >= MAX_TEXT_BYTES) return 'full';
      add.run(...key, JSON.stringify({ ...event, ...keepFiles(approvalId, event) }), isoTime(now));
      return 'kept';
    },
    change({ channelType, platformId, platformMessageId, senderId, text }, now) {
      const rows = ofMessage.all(channelType, platformId, platformMessageId);
      for (const row of rows) {
        const event = read(row);
        if (text === null) {
          drop(event, 'withdrawn', now);
          remove.run(row.id ?? null);
        } else if (event.senderId === senderId) {
          const cut = truncateBytes(cleanText(text), MAX_CHANGED_BYTES);
          rewrite.run(JSON.stringify({ ...event, text: cut }), row.id ?? null);
        }
      }
      return () => {
        if (text === null) for (const row of rows) dropFiles(String(row.approval_id));
      };
    },
    letGo(approvalId, reason, now) {
      for (const row of of.all(approvalId)) drop(read(row), reason, now);
      removeAll.run(approvalId);
      return () => dropFiles(approvalId);
    },
    replay: (approvalId) =>
      replay(approvalId).catch((error: unknown) => {
        log.error('a message that waited was not taken', { approval: approvalId, error });
        return false;
      }),
    unreplayed: () => given.all().map((row) => String(row.approval_id)),
    tidy() {
      if (!existsSync(folder)) return;
      for (const name of readdirSync(folder)) dropFiles(name);
    },
  };
}

let lent = 0;

/** Under a name of its own: whoever is handed a file removes it, also when the message isn't taken. A restored install has none. */
function lend(attachment: InboundAttachment): InboundAttachment[] {
  if (!existsSync(attachment.localPath)) return [];
  lent += 1;
  const localPath = `${attachment.localPath}.${lent}`;
  rmSync(localPath, { force: true });
  place(attachment.localPath, localPath);
  return [{ ...attachment, localPath }];
}

function place(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system, or one without hard links; at worst this says what is wrong.
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}
