import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import type { Activities, Activity } from '../../src/activity.ts';
import type { ChannelCapabilities } from '../../src/channels/adapter.ts';
import type { ContainerRunner } from '../../src/container-runner.ts';
import type { Deliveries } from '../../src/db/deliveries.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Messages, OpenMessage } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { Effects } from '../../src/take-over/index.ts';
import type { Drafts } from '../drafts/index.ts';
import { isLineDue } from './decide.ts';
import { lineText } from './words.ts';

/** Says in a chat that waits what is being done, where nothing else has been said for a minute. */

export interface LinesParts {
  db: DatabaseSync;
  messages: Pick<Messages, 'openById'>;
  deliveries: Pick<Deliveries, 'get'>;
  sessions: Pick<Sessions, 'get'>;
  drafts: Pick<Drafts, 'line' | 'leaveLine' | 'withLine' | 'streams'>;
  runner: Pick<ContainerRunner, 'list'>;
  activity: Pick<Activities, 'get'>;
  capabilities(channelType: string): ChannelCapabilities | undefined;
  /** Its turn waits for a person. */
  rests(sessionId: string): boolean;
  deliver(messageIds: readonly string[]): void;
  redact(text: string): string;
}

/** Of a turn that runs; every time is monotonic. */
interface Seen {
  turnSince: number;
  /** When it last waited for a person. */
  restedAt: number;
  /** When something was last said, by place. */
  saidAt: Map<string, number>;
  lineAt: number | null;
}

export interface Lines {
  /** Each second: it costs nothing while no turn runs. */
  look(now: number): void;
  /** What a look at a session's file, or its end, has led to. */
  said(session: Session, effects: Pick<Effects, 'deliver' | 'draft'>, now: number): void;
}

export function createLines(parts: LinesParts): Lines {
  const { db, messages, deliveries, sessions, drafts, activity } = parts;
  const all = new Map<string, Seen>();
  let isFirst = true;

  function seenOf(sessionId: string, turnSince: number): Seen {
    const known = all.get(sessionId);
    if (known?.turnSince === turnSince) return known;
    if (known) over(sessionId, known);
    const fresh = { turnSince, restedAt: 0, saidAt: new Map<string, number>(), lineAt: null };
    all.set(sessionId, fresh);
    return fresh;
  }

  function over(sessionId: string, { lineAt }: Seen): void {
    all.delete(sessionId);
    if (lineAt !== null) leave(sessionId);
  }

  function leave(sessionId: string, said?: Origin): void {
    const session = sessions.get(sessionId);
    if (session) parts.deliver(transaction(db, () => drafts.leaveLine(session, Date.now(), said)));
  }

  /** The newest message that somebody waits for and looks for: not a task's, nor a program's, nor a mail. */
  function waitsIn(session: Session, { held }: Activity): OpenMessage | undefined {
    const open = [...held].flatMap((id) => messages.openById(session.id, id) ?? []);
    const asked = open.filter(({ kind, trigger, platform_id }) => trigger && kind === 'chat' && platform_id !== null);
    const newest = asked.toSorted((a, b) => a.seq - b.seq).at(-1);
    return newest && parts.capabilities(newest.channel_type ?? '')?.live === false ? undefined : newest;
  }

  function lookAt(sessionId: string, view: Activity, turnSince: number, now: number): void {
    const seen = seenOf(sessionId, turnSince);
    if (parts.rests(sessionId)) seen.restedAt = now;
    const { lineAt, restedAt } = seen;
    const silentSince = Math.max(turnSince, restedAt);
    // Most looks end here, and have asked the database nothing.
    if (!isLineDue({ silentSince, lineAt, changes: true }, now)) return;
    const session = sessions.get(sessionId);
    const asked = session && waitsIn(session, view);
    if (!session || !asked) return;
    const changes = drafts.streams(asked.channel_type);
    const saidAt = seen.saidAt.get(keyOf(asked)) ?? 0;
    if (!isLineDue({ silentSince: Math.max(silentSince, saidAt), lineAt, changes }, now)) return;
    seen.lineAt = now;
    const text = lineText(view.tools.values(), now - turnSince, parts.redact);
    parts.deliver(transaction(db, () => drafts.line(session, asked, text, Date.now())));
  }

  return {
    look(now) {
      // An earlier host's: what they tell of has ended with it.
      if (isFirst) for (const id of drafts.withLine()) leave(id);
      isFirst = false;
      const running = new Set<string>();
      for (const { sessionId } of parts.runner.list()) {
        const view = activity.get(sessionId);
        if (!view || view.turnSince === null) continue;
        running.add(sessionId);
        lookAt(sessionId, view, view.turnSince, now);
      }
      for (const [id, seen] of all) if (!running.has(id)) over(id, seen);
    },
    said(session, effects, now) {
      const seen = all.get(session.id);
      if (!seen) return;
      if (effects.draft) seen.saidAt.set(keyOf(effects.draft.place), now);
      for (const id of effects.deliver) {
        const said = deliveries.get(id);
        if (!said) continue;
        seen.saidAt.set(keyOf(said), now);
        // What stands above it now tells nobody anything.
        if (seen.lineAt !== null) leave(session.id, said);
      }
    },
  };
}

function keyOf({ channel_type, platform_id, thread_id }: Origin): string {
  return JSON.stringify([channel_type, platform_id, thread_id]);
}
