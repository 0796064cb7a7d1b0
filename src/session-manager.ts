import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { MessageInRow, Origin } from '@nanoclaw/protocol';
import type { Deliveries } from './db/deliveries.ts';
import type { Messages } from './db/messages.ts';
import type { Session, Sessions } from './db/sessions.ts';
import { publishInbound } from './mailbox/inbound.ts';
import { ensureFolder } from './own.ts';
import type { Paths } from './paths.ts';

/** A session's folders and its inbound.db. What is in them comes from the central database and can be made again. */

export interface SessionFolders {
  session: string;
  /** RW inside as /workspace. */
  box: string;
  /** RO inside as /workspace/inbound. */
  inbound: string;
  /** RW inside as /home/node and /home/node/.claude. */
  home: string;
  claude: string;
  /** RO inside as /app/group. */
  group: string;
  /** RO inside as /workspace/extra: a place for each of the owner's folders. */
  extra: string;
  /** RO inside as /run/proxy. */
  run: string;
}

export interface SessionManager {
  folders(session: Session): SessionFolders;
  /** Makes what is missing; what the agent writes belongs to its uid. */
  ensureFolders(session: Session, uid: number | undefined): SessionFolders;
  /** inbound.db as of now; repeated calls before the next turn of the event loop are one. */
  publish(sessionId: string): void;
  /** The same at once. */
  publishNow(sessionId: string): void;
  /** Once more for those that could not be written. */
  publishFailed(): void;
}

export interface SessionManagerParts {
  paths: Paths;
  db: DatabaseSync;
  sessions: Sessions;
  messages: Messages;
  deliveries: Deliveries;
  /** At each try until it works again; `isNew` at the first. Not called again once it has returned true. */
  onPublishError(sessionId: string, error: unknown, isNew: boolean): boolean;
  /** The highest number that the session's agent is shown for now; what the host has to say to it, and no turn begins with, is always shown. */
  limit?(sessionId: string): number | undefined;
  /** Rows that aren't in the database: what its `ncl` waits for. */
  answers?(sessionId: string): readonly MessageInRow[];
}

const RECENT_DELIVERIES = 50;

export function createSessionManager(parts: SessionManagerParts): SessionManager {
  const { paths, db, sessions, messages, deliveries } = parts;
  const dirty = new Set<string>();
  /** A full disk, say: tried again by the sweep. */
  const failed = new Map<string, boolean>();
  const destinations = db.prepare(
    `SELECT d.local_name AS name, g.name AS display_name, g.channel_type, g.platform_id
     FROM agent_destinations d JOIN messaging_groups g ON g.id = d.target_id
     WHERE d.agent_group_id = ? AND d.target_type = 'channel' ORDER BY d.local_name`,
  );
  const chat = db.prepare('SELECT channel_type, platform_id FROM messaging_groups WHERE id = ?');

  function folders(session: Session): SessionFolders {
    const folder = join(paths.sessions, session.agentGroupId, session.id);
    return {
      session: folder,
      box: join(folder, 'box'),
      inbound: join(folder, 'inbound'),
      home: join(folder, 'home'),
      claude: join(folder, 'claude'),
      group: join(folder, 'group'),
      extra: join(folder, 'extra'),
      run: join(paths.run, session.id),
    };
  }

  function publishNow(sessionId: string): void {
    dirty.delete(sessionId);
    const session = sessions.get(sessionId);
    if (!session) return;
    const { inbound } = folders(session);
    // Without a folder no sandbox has run yet; the first start publishes.
    if (!existsSync(inbound)) return;
    const limit = parts.limit?.(sessionId) ?? Number.POSITIVE_INFINITY;
    publishInbound(inbound, {
      messages: [
        ...messages
          .openRows(sessionId)
          .filter(({ seq, kind, trigger }) => seq <= limit || (kind === 'system' && trigger === 0)),
        ...(parts.answers?.(sessionId) ?? []),
      ],
      delivered: deliveries.recent(sessionId, RECENT_DELIVERIES),
      receivedSeq: session.receivedSeq,
      destinations: destinations.all(session.agentGroupId).map((row) => ({
        name: String(row.name),
        display_name: row.display_name === null ? null : String(row.display_name),
        type: 'channel',
        channel_type: String(row.channel_type),
        platform_id: String(row.platform_id),
        agent_group_id: null,
      })),
      routing: routing(session),
    });
  }

  function routing(session: Session): Origin {
    const row = session.messagingGroupId === null ? undefined : chat.get(session.messagingGroupId);
    return {
      channel_type: row ? String(row.channel_type) : null,
      platform_id: row ? String(row.platform_id) : null,
      thread_id: session.threadId,
    };
  }

  function publish(sessionId: string): void {
    if (dirty.size === 0) {
      setImmediate(() => {
        for (const id of [...dirty]) {
          try {
            publishNow(id);
            failed.delete(id);
          } catch (error) {
            failed.set(id, failed.get(id) || parts.onPublishError(id, error, !failed.has(id)));
          }
        }
      });
    }
    dirty.add(sessionId);
  }

  return {
    folders,
    ensureFolders(session, uid) {
      const all = folders(session);
      for (const folder of [dirname(all.session), all.session]) ensureFolder(folder, undefined, 0o711);
      for (const folder of [all.inbound, all.group, all.extra, all.run]) ensureFolder(folder, undefined, 0o755);
      for (const folder of [all.box, all.home, all.claude]) ensureFolder(folder, uid, 0o700);
      return all;
    },
    publish,
    publishNow,
    publishFailed() {
      for (const id of failed.keys()) publish(id);
    },
  };
}
