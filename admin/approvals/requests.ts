import type { Audit } from '../../src/audit/index.ts';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Held } from '../../src/router.ts';
import type { Result } from '../view.ts';
import { inline } from './card.ts';
import type { HeldEvents } from './held.ts';
import type { NewApproval, Table } from './table.ts';

/** Approvals are asked for, and messages wait with them: within limits, whoever asks how often. */

export interface RequestsParts {
  table: Table;
  audit: Audit;
  held: HeldEvents;
  expiresMs(): number;
  ask(id: string): void;
  noRoom(): ErrorCode | undefined;
}

export interface Requests {
  /** Inside a transaction; `after` runs after the commit. */
  request(asked: NewApproval, now: number): Result<{ id: string; after(): void }>;
  /** A stranger's message. The same. */
  hold(
    about: Pick<NewApproval, 'kind' | 'subject'>,
    event: InboundEvent,
    now: number,
    describe: () => NewApproval,
  ): Held;
}

/** Of the strangers of a channel, or of a session. */
const MAX_OPEN = 50;
/** In an hour. */
const MAX_NEW = { strangers: 10, session: 30 };
const NEW_MS = 3_600_000;

export function createRequests({ table, audit, held, expiresMs, ask, noRoom }: RequestsParts): Requests {
  function isFull(sessionId: string | null, channelType: string | null, now: number): boolean {
    const most = sessionId === null ? MAX_NEW.strangers : MAX_NEW.session;
    return (
      table.countSince(now - NEW_MS, sessionId, channelType) >= most ||
      table.countOpen(sessionId, channelType) >= MAX_OPEN
    );
  }

  const request: Requests['request'] = (asked, now) => {
    const open = table.openId(asked.kind, asked.subject);
    if (open !== undefined) return { ok: true, data: { id: open, after() {} } };
    if (isFull(asked.sessionId, asked.origin.channel_type, now)) {
      return { ok: false, code: 'NC_FORBIDDEN', detail: 'Too many requests were made already: wait an hour.' };
    }
    const options = asked.options.map((option) => ({ ...option, label: inline(option.label, 40) }));
    const { id, title } = table.add({ ...asked, title: inline(asked.title, 150), options }, now, now + expiresMs());
    const detail = { kind: asked.kind, of: asked.subject, title };
    audit.record({ actor: asked.requestedBy, action: 'approval.requested', subject: id, detail }, now);
    return { ok: true, data: { id, after: () => ask(id) } };
  };

  return {
    request,
    hold({ kind, subject }, event, now, describe) {
      if (noRoom()) return dropped('no-room');
      const open = table.openId(kind, subject);
      // Before anything is read or written: this may come ten thousand times.
      if (open === undefined && isFull(null, event.channelType, now)) return dropped('too-many-requests');
      const asked = open === undefined ? request(describe(), now) : undefined;
      const { id, after } = asked?.ok ? asked.data : { id: open ?? '', after() {} };
      switch (held.keep(id, event, now)) {
        case 'kept':
          return { acceptance: { status: 'held' }, after };
        case 'repeated':
          return { acceptance: { status: 'duplicate' }, after };
        case 'full':
          table.countMore(id);
          return { ...dropped('too-many-waiting'), after };
      }
    },
  };
}

export function dropped(reason: string): Held {
  return { acceptance: { status: 'dropped', reason }, after() {} };
}
