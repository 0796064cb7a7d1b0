import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  buildInbound,
  ChatOut,
  type ContainerConfig,
  type DeliveredRow,
  type DestinationRow,
  isoTime,
  type MessageInRow,
  nextHostSeq,
  type Origin,
  SystemOut,
} from '@nanoclaw/protocol';
import { type RunnerPaths, runnerPaths } from '../src/paths.ts';

export interface Sent extends Origin {
  id: string;
  seq: number;
  inReplyTo: string | null;
  chat: ChatOut | null;
  system: SystemOut | null;
}

export interface StandInOptions {
  provider?: string;
  max?: number;
}

/** The host's end of a mailbox: publishes `inbound.db`, reads `outbound.db`. A folder below the system's temporary one. */
export class HostStandIn {
  readonly root = mkdtempSync(join(tmpdir(), 'runner-'));
  readonly paths: RunnerPaths = runnerPaths(this.root);
  rows: MessageInRow[] = [];
  destinations: DestinationRow[] = [];
  delivered: DeliveredRow[] = [];
  received = 0;
  #seq = 0;
  #reader: DatabaseSync | null = null;

  constructor({ provider = 'demo', max = 10 }: StandInOptions = {}) {
    for (const folder of [this.paths.inbound, this.paths.agent, this.paths.outbox, join(this.root, 'app/group')]) {
      mkdirSync(folder, { recursive: true });
    }
    writeFileSync(this.paths.containerJson, JSON.stringify(config(provider, max)));
  }

  /** A row with the next `seq`, published with the others by `publish`. */
  add(id: string, fields: Partial<MessageInRow> & { text?: string } = {}): MessageInRow {
    const { text = id, ...rest } = fields;
    this.#seq = nextHostSeq(this.#seq);
    const row: MessageInRow = {
      id,
      seq: this.#seq,
      kind: 'chat',
      timestamp: isoTime(Date.now()),
      status: 'pending',
      process_after: null,
      tries: 0,
      trigger: 1,
      on_wake: 0,
      platform_id: 'home',
      channel_type: 'terminal',
      thread_id: null,
      content: JSON.stringify({ text, sender: 'Ann' }),
      source_session_id: null,
      ...rest,
    };
    this.rows.push(row);
    return row;
  }

  control(id: string, action: 'stop' | 'clear' | 'compact', fields: Partial<MessageInRow> = {}): void {
    this.add(id, { kind: 'system', content: JSON.stringify({ action }), ...fields });
    this.publish();
  }

  say(id: string, text = id, fields: Partial<MessageInRow> = {}): void {
    this.add(id, { text, ...fields });
    this.publish();
  }

  publish(): void {
    const bytes = buildInbound({
      messages: this.rows,
      delivered: this.delivered,
      receivedSeq: this.received,
      destinations: this.destinations,
      routing: { channel_type: 'terminal', platform_id: 'home', thread_id: null },
    });
    this.publishBytes(bytes);
  }

  publishBytes(bytes: Uint8Array): void {
    writeFileSync(`${this.paths.inboundDb}.new`, bytes);
    renameSync(`${this.paths.inboundDb}.new`, this.paths.inboundDb);
  }

  /** What the runner has written, oldest first. In tests, both sides are trusted. */
  sent(): Sent[] {
    return this.#all('SELECT * FROM messages_out ORDER BY seq').map((row) => {
      const content: unknown = JSON.parse(String(row.content));
      return {
        id: String(row.id),
        seq: Number(row.seq),
        inReplyTo: text(row.in_reply_to),
        channel_type: text(row.channel_type),
        platform_id: text(row.platform_id),
        thread_id: text(row.thread_id),
        chat: row.kind === 'chat' ? ChatOut.parse(content) : null,
        system: row.kind === 'system' ? SystemOut.parse(content) : null,
      };
    });
  }

  /** Without usage figures and progress. */
  answers(): Sent[] {
    return this.sent().filter((each) => each.system?.action !== 'usage' && !each.chat?.progress);
  }

  texts(): string[] {
    return this.answers().flatMap((each) => each.chat?.text ?? []);
  }

  acks(): Record<string, string> {
    return Object.fromEntries(
      this.#all('SELECT * FROM processing_ack').map((row) => [row.message_id, String(row.status)]),
    );
  }

  ackError(id: string): unknown {
    const row = this.#all('SELECT * FROM processing_ack').find((each) => each.message_id === id);
    return JSON.parse(String(row?.error));
  }

  state(key: string): string | undefined {
    const row = this.#all('SELECT * FROM session_state').find((each) => each.key === key);
    return row && String(row.value);
  }

  phase(): string {
    return String(this.#all('SELECT * FROM container_state')[0]?.phase);
  }

  tools(): string[] {
    return this.#all('SELECT * FROM tools_in_flight').map((row) => String(row.tool));
  }

  /** What each of them has declared, by its id. */
  declared(): Record<string, unknown> {
    const rows = this.#all('SELECT * FROM tools_in_flight ORDER BY id');
    return Object.fromEntries(rows.map((row) => [row.id, row.declared_timeout_ms]));
  }

  [Symbol.dispose](): void {
    this.#reader?.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  #all(sql: string): Record<string, unknown>[] {
    try {
      this.#reader ??= new DatabaseSync(this.paths.outboundDb, { readOnly: true, timeout: 5000 });
      return this.#reader.prepare(sql).all();
    } catch (error) {
      // Before the runner has made it, or while a journal that it left when it was killed waits for the next one.
      if (/no such table|unable to open|readonly database/.test(String(error))) return [];
      throw error;
    }
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function config(provider: string, maxMessagesPerPrompt: number): ContainerConfig {
  return {
    agentGroupId: 'ag-1',
    sessionId: 'se-1',
    groupName: 'main',
    assistantName: 'Andy',
    provider,
    timezone: 'Europe/Berlin',
    maxMessagesPerPrompt,
    providerEnv: {},
  };
}

/** Waits for a condition, looked at every few milliseconds. */
export async function until<T>(what: string, look: () => T | false | null | undefined, withinMs = 15_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== false && found !== null && found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
