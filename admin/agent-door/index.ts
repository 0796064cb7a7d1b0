import type { DatabaseSync } from 'node:sqlite';
import {
  byteLength,
  isoTime,
  MAX_NCL_ANSWER_BYTES,
  type MessageInRow,
  type NclResponse,
  truncateBytes,
} from '@nanoclaw/protocol';
import type { Audit } from '../../src/audit/index.ts';
import { newId } from '../../src/db/ids.ts';
import type { Session } from '../../src/db/sessions.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { OutboundSnapshot } from '../../src/mailbox/outbound-reader.ts';
import type { Result } from '../view.ts';
import type { AgentCaller, Callers } from './callers.ts';
import { createRefusals } from './refusals.ts';

/**
 * `ncl` from inside a sandbox: a request is a row of its outbound.db, the answer one of its inbound.db. Answers live in memory
 * alone: once the host or the sandbox is gone, nobody waits for them.
 */

/** Taken over from a sandbox. Who asks isn't in it: that is known of the session. */
export interface NclRequest {
  requestId: string;
  argv: readonly string[];
  /** Given to the answer when the request was taken over. */
  seq: number;
}

/** What a command had to say, and why it was refused. */
export interface Said {
  exit: number;
  out: string;
  err: string;
  refused?: ErrorCode | undefined;
}

/** What answers an agent: handed in, as the host itself knows no command. */
export interface AgentCommands {
  /** One command line. May throw. */
  run(caller: AgentCaller, argv: readonly string[]): Promise<Said>;
  /** A change that was allowed: once more through all checks. Inside the deciding transaction. */
  perform(action: unknown, approval: { id: string; decidedBy: string }, now: number): Result<string>;
}

export interface AgentDoorParts {
  db: DatabaseSync;
  callers: Callers;
  audit: Audit;
  commands(): AgentCommands;
  publish(sessionId: string): void;
  log: Logger;
}

export interface AgentDoor {
  /** A sandbox runs: from here on it may ask. */
  opened(sessionId: string): void;
  closed(sessionId: string): void;
  /** After the transaction that took it over. */
  request(session: Session, request: NclRequest): void;
  /** A look at its outbound.db: what it has read goes. */
  seen(sessionId: string, acks: OutboundSnapshot['acks']): void;
  /** What belongs into its inbound.db. */
  answers(sessionId: string): readonly MessageInRow[];
  /** What was only counted is written down. */
  stop(): void;
}

const PER_SECOND = 20;
/** The host has others to look after: of its time some in a row, since a command may be slow where much goes on, and then a fifth. */
const WORKING_MS = 2_000;
/** The same for searches, which are done beside the host. */
const SEARCHING_MS = 10_000;
const QUEUED = 20;
/** Answers that nobody has read yet: their number, before what is queued, and all of them together. */
const UNREAD = 50;
const UNREAD_BYTES = 8 * MAX_NCL_ANSWER_BYTES;
/** Twice what `ncl` waits: then it was killed. */
const KEPT_MS = 60_000;

interface Open {
  tokens: number;
  workingMs: number;
  searchingMs: number;
  filledAt: number;
  queue: NclRequest[];
  working: boolean;
  answers: Map<string, { row: MessageInRow; timer: NodeJS.Timeout }>;
}

export function createAgentDoor(parts: AgentDoorParts): AgentDoor {
  const { callers, publish, log } = parts;
  const open = new Map<string, Open>();
  const refusals = createRefusals(parts);

  /** A bucket of as many as a second has. */
  function isTooMany(state: Open, { argv }: NclRequest): boolean {
    const now = performance.now();
    state.tokens = Math.min(PER_SECOND, state.tokens + ((now - state.filledAt) / 1000) * PER_SECOND);
    state.workingMs = Math.min(WORKING_MS, state.workingMs + (now - state.filledAt) / 5);
    state.searchingMs = Math.min(SEARCHING_MS, state.searchingMs + (now - state.filledAt) / 5);
    state.filledAt = now;
    if ((isSearch(argv) ? state.searchingMs : state.workingMs) <= 0) return true;
    if (state.tokens < 1 || state.queue.length >= QUEUED || state.answers.size >= UNREAD) return true;
    state.tokens -= 1;
    return false;
  }

  function answer(session: Session, state: Open, { requestId, seq }: NclRequest, said: Said): void {
    // Its sandbox has ended meanwhile.
    if (open.get(session.id) !== state) return;
    const now = Date.now();
    const content: NclResponse = { action: 'ncl-response', requestId, ...cut(said) };
    const row = rowOf(newId('sys', now), seq, content, now);
    const forget = () => state.answers.delete(row.id) && publish(session.id);
    state.answers.set(row.id, { row, timer: setTimeout(forget, KEPT_MS).unref() });
    publish(session.id);
  }

  async function work(session: Session, state: Open): Promise<void> {
    if (state.working) return;
    state.working = true;
    for (let next = state.queue.shift(); next && open.get(session.id) === state; next = state.queue.shift()) {
      const begun = performance.now();
      const { argv } = next;
      const said = await sayTo(session, state, argv).catch((error: unknown) => {
        log.error('an ncl command of an agent failed', { session: session.id, error });
        return refusal('NC_INTERNAL');
      });
      if (said.refused !== undefined) refusals.note(session, argv, said.refused);
      answer(session, state, next, said);
      const ms = Math.round(performance.now() - begun);
      if (isSearch(argv)) state.searchingMs -= ms;
      else state.workingMs -= ms;
      log.info('ncl', { session: session.id, words: argv.length, exit: said.exit, refused: said.refused, ms });
    }
    state.working = false;
  }

  async function sayTo(session: Session, state: Open, argv: readonly string[]): Promise<Said> {
    if (isFull(state)) return refusal('NC_BUSY', 'Earlier answers were not read yet.');
    // They are tools of an agent's, whatever it may see of the rest.
    const isTool = argv[0] === 'tasks' || isSearch(argv);
    const caller = callers.of(session, Date.now(), isTool);
    return caller ? parts.commands().run(caller, argv) : { ...refusal('NC_FORBIDDEN'), err: 'This agent has no ncl.' };
  }

  return {
    opened(sessionId) {
      const bucket = {
        tokens: PER_SECOND,
        workingMs: WORKING_MS,
        searchingMs: SEARCHING_MS,
        filledAt: performance.now(),
      };
      open.set(sessionId, { ...bucket, queue: [], working: false, answers: new Map() });
    },
    closed(sessionId) {
      for (const { timer } of open.get(sessionId)?.answers.values() ?? []) clearTimeout(timer);
      open.delete(sessionId);
    },
    request(session, request) {
      const state = open.get(session.id);
      // Of a sandbox that has died: its turn is tried again, and asks again.
      if (!state) return;
      if (isTooMany(state, request)) {
        refusals.count(session);
        // Who asks without end and reads nothing waits in vain.
        if (state.answers.size < UNREAD) answer(session, state, request, refusal('NC_BUSY'));
      } else {
        state.queue.push(request);
        void work(session, state);
      }
    },
    seen(sessionId, acks) {
      const answers = open.get(sessionId)?.answers;
      if (!answers || answers.size === 0) return;
      const read = acks.filter(({ message_id }) => answers.has(message_id));
      for (const { message_id } of read) {
        clearTimeout(answers.get(message_id)?.timer);
        answers.delete(message_id);
      }
      if (read.length > 0) publish(sessionId);
    },
    answers: (sessionId) => [...(open.get(sessionId)?.answers.values() ?? [])].map(({ row }) => row),
    stop: refusals.flush,
  };
}

export function refusal(code: ErrorCode, detail?: string): Said {
  const { sentence, remedy, exit } = ERRORS[code];
  return { exit, out: '', err: [sentence, detail, remedy].filter(Boolean).join(' '), refused: code };
}

function isFull({ answers }: Open): boolean {
  return [...answers.values()].reduce((sum, { row }) => sum + row.content.length, 0) > UNREAD_BYTES;
}

function cut({ exit, out, err }: Said): Pick<NclResponse, 'exit' | 'out' | 'err'> {
  if (byteLength(out) + byteLength(err) <= MAX_NCL_ANSWER_BYTES) return { exit, out, err };
  const room = MAX_NCL_ANSWER_BYTES - 1024;
  const note = `(This was cut at ${MAX_NCL_ANSWER_BYTES / 1024} KB: ask for less at a time.)`;
  return {
    exit,
    out: truncateBytes(out, room),
    err: `${truncateBytes(err, room - Math.min(room, byteLength(out)))}\n${note}`.trim(),
  };
}

/** Paused: not for the runner to take up. */
function rowOf(id: string, seq: number, content: NclResponse, now: number): MessageInRow {
  const nowhere = { platform_id: null, channel_type: null, thread_id: null, source_session_id: null };
  const waits = { status: 'paused' as const, process_after: null, tries: 0, trigger: 0 as const, on_wake: 0 as const };
  return { id, seq, kind: 'system', timestamp: isoTime(now), ...waits, ...nowhere, content: JSON.stringify(content) };
}

function isSearch([resource, verb]: readonly string[]): boolean {
  return resource === 'history' && verb === 'search';
}
