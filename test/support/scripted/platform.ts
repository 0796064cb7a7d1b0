import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseLine, readLines, sendLine } from '../../../cli/sockets/lines.ts';
import type { DeliveryResult } from '../../../src/channels/adapter.ts';
import { openCentral } from '../../../src/db/connection.ts';
import { transaction } from '../../../src/db/group-commit.ts';
import { SCRIPTED_CHANNEL } from './adapter.ts';
import { type ToAdapter, ToPlatform } from './frames.ts';

/** A platform with chats, which a test plays: it outlives the host, keeps a ledger, and drops a delivery that it has already. */

export interface Delivered {
  /** The idempotency key: the same for every attempt. */
  id: string;
  chat: string;
  thread: string | null;
  text: string;
  progress: boolean;
  files: readonly { name: string; path: string; size: number }[];
  inReplyTo: string | undefined;
  /** Attempts at it that came after it was here. */
  repeats: number;
  /** The platform's own id of its place, where it may be edited; and all that stood there, one after the other. */
  stands: string;
  texts: readonly string[];
  /** ms since the epoch. */
  at: number;
}

export interface SentEvent {
  id: string;
  chat: string;
  text: string;
  sentAt: number;
  acceptance: { status: string; [key: string]: unknown } | undefined;
  /** Everything that the host has said of it, in order: a platform may send an event again. */
  told: string[];
  /** What the host told of its end; a host that dies may never tell. */
  outcome: string | undefined;
}

export interface SendOptions {
  thread?: string;
  sender?: string;
  /** The platform's own; made when it is left out. */
  id?: string;
  file?: { name: string; text: string };
}

export interface Platform extends Disposable {
  socketPath: string;
  events: ReadonlyMap<string, SentEvent>;
  delivered: ReadonlyMap<string, Delivered>;
  /** Of deliveries in whose place another one stands now. */
  former: ReadonlySet<string>;
  typing: { chat: string; on: boolean; at: number }[];
  connected(): boolean;
  /** Sends a message, and again at each connection until the host has taken it. Returns its id. */
  send(chat: string, text: string, options?: SendOptions): string;
  /** Sends an event once more, under the same id. */
  repeat(id: string): void;
  /** What was said in a chat, without progress, oldest first. */
  said(chat: string): string[];
  /** Decides what becomes of deliveries from now on; `undefined` lets them through. A delivery that fails isn't kept. */
  answer(script: ((message: Delivered) => DeliveryResult | 'lost' | undefined) | undefined): void;
  /** Tells the host that what waits may be sent: it was offline. */
  back(): void;
  /** These resolve when the host has noted it. `text`: null when it is deleted; `sender`: the owner when it is left out. */
  change(chat: string, id: string, text: string | null, sender?: string): Promise<void>;
  react(chat: string, id: string, emoji: string, on?: boolean, sender?: string): Promise<void>;
  /** The bot is in that group from now on, or not. */
  membership(chat: string, joined: boolean, name?: string): Promise<void>;
  /** The line to the host breaks. */
  drop(): void;
}

export const SCRIPTED_SENDER = 'terminal:owner';

export async function startPlatform(): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-platform-'));
  const socketPath = join(folder, 'p.sock');
  const events = new Map<string, SentEvent & { frame: ToAdapter }>();
  const delivered = new Map<string, Delivered>();
  const former = new Set<string>();
  const typing: Platform['typing'] = [];
  const calls = new Map<number, () => void>();
  let script: Parameters<Platform['answer']>[0];
  let socket: Socket | undefined;
  let count = 0;

  const write = (frame: ToAdapter): void => {
    if (socket && !socket.destroyed) void sendLine(socket, frame);
  };

  function call(of: (call: number) => ToAdapter): Promise<void> {
    count += 1;
    const own = count;
    return new Promise((resolve) => {
      calls.set(own, resolve);
      write(of(own));
    });
  }

  function receive(line: string): void {
    const frame = ToPlatform.parse(parseLine(line));
    if (frame.type === 'acceptance') {
      const event = events.get(frame.id);
      if (!event) return;
      event.acceptance = frame.acceptance;
      event.told.push(frame.acceptance.status);
    } else if (frame.type === 'settled') {
      const event = events.get(frame.id);
      if (event) event.outcome = frame.outcome;
    } else if (frame.type === 'noted') {
      calls.get(frame.call)?.();
      calls.delete(frame.call);
    } else if (frame.type === 'typing') {
      typing.push({ chat: frame.chat, on: frame.on, at: Date.now() });
    } else {
      write({ type: 'receipt', call: frame.call, result: take(frame.message) });
    }
  }

  function take(message: Extract<ToPlatform, { type: 'deliver' }>['message']): DeliveryResult {
    const known = delivered.get(message.id);
    if (known) {
      known.repeats += 1;
      return { status: 'sent', platformMessageId: known.stands };
    }
    const { edits } = message;
    const replaced = [...delivered.values()].find(({ stands }) => stands === edits);
    if (edits !== undefined && !replaced) return { status: 'failed', retryable: false, error: 'It is not there.' };
    const { id, text, progress, files, inReplyTo, threadId: thread } = message;
    const entry = {
      id,
      chat: message.platformId,
      thread,
      text,
      progress,
      files,
      inReplyTo,
      repeats: 0,
      at: Date.now(),
      stands: edits ?? `p-${id}`,
      texts: [...(replaced?.texts ?? []), text],
    };
    const scripted = script?.(entry);
    if (scripted !== undefined && scripted !== 'lost') return scripted;
    if (replaced && id.startsWith(`${replaced.id}.`)) Object.assign(replaced, { text, texts: entry.texts });
    else {
      if (replaced) former.add(replaced.id);
      delivered.delete(replaced?.id ?? id);
      delivered.set(id, entry);
    }
    // Taken, and the answer was lost on its way.
    if (scripted === 'lost') return { status: 'failed', retryable: true, error: 'no answer' };
    return { status: 'sent', platformMessageId: entry.stands };
  }

  const server = createServer((opened) => {
    socket = opened;
    opened.on('error', () => {});
    readLines(opened, 4 * 1024 * 1024, { line: receive, overflow: () => opened.destroy() });
    for (const event of events.values()) if (!isTaken(event)) write(event.frame);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));

  return {
    socketPath,
    events,
    delivered,
    former,
    typing,
    connected: () => socket !== undefined && !socket.destroyed,
    send(chat, text, { thread, sender = SCRIPTED_SENDER, file, id: given }: SendOptions = {}) {
      count += 1;
      const id = given ?? `e${process.pid}-${count}`;
      const frame: ToAdapter = { type: 'event', id, chat, thread: thread ?? null, sender, text, ...(file && { file }) };
      const nothing = { acceptance: undefined, told: [], outcome: undefined };
      events.set(id, { id, chat, text, sentAt: Date.now(), ...nothing, frame });
      write(frame);
      return id;
    },
    repeat(id) {
      const event = events.get(id);
      if (event) write(event.frame);
    },
    said: (chat) => [...delivered.values()].filter((m) => m.chat === chat && !m.progress).map((m) => m.text),
    answer(next) {
      script = next;
    },
    back: () => write({ type: 'back' }),
    change: (chat, id, text, sender = SCRIPTED_SENDER) =>
      call((own) => ({ type: 'changed', call: own, chat, id, sender, text })),
    react: (chat, id, emoji, on = true, sender = SCRIPTED_SENDER) =>
      call((own) => ({ type: 'reacted', call: own, chat, id, sender, emoji, on })),
    membership: (chat, joined, name) =>
      call((own) => ({ type: 'membership', call: own, chat, joined, ...(name !== undefined && { name }) })),
    drop: () => socket?.destroy(),
    [Symbol.dispose]() {
      socket?.destroy();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isTaken({ acceptance }: SentEvent): boolean {
  return acceptance !== undefined && acceptance.status !== 'refused';
}

/** Makes chats of the scripted channel and wires them to the install's first agent. The host must not run. */
export function addScriptedChats(home: string, chats: readonly string[]): void {
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now: Date.now() });
  const now = new Date().toISOString();
  const agent = String(db.prepare('SELECT id FROM agent_groups ORDER BY uid_ordinal LIMIT 1').get()?.id);
  const addChat = db.prepare(
    'INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const wire = db.prepare(
    `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
     VALUES (?, ?, ?, 'pattern', '.', ?) ON CONFLICT DO NOTHING`,
  );
  transaction(db, () => {
    for (const chat of chats) {
      addChat.run(`mg-${chat}`, SCRIPTED_CHANNEL, chat, chat, now);
      wire.run(`mga-${chat}`, `mg-${chat}`, agent, now);
    }
  });
  db.close();
}
