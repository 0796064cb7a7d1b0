import type { DatabaseSync } from 'node:sqlite';
import { cleanText } from '@nanoclaw/protocol';
import { type Change, mayTouch, missing, refuse } from '../../admin/directory/change.ts';
import type { By } from '../../admin/directory/index.ts';
import type { Result } from '../../admin/view.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Firings } from './firing.ts';
import { type Planned, plan, upcoming } from './schedule.ts';
import type { Fields, Run, Table, Task } from './table.ts';
import type { CatchUp } from './words.ts';

/** What people and agents do with tasks. Each change checks what it is given, and is one transaction with its entry in the audit log. */

export interface TaskTerms {
  /** A name of the agent's for a chat. */
  to?: string | undefined;
  when?: string | undefined;
  prompt?: string | undefined;
  name?: string | undefined;
  timezone?: string | undefined;
  catchUp?: CatchUp | undefined;
  /** Empty: none. */
  script?: string | undefined;
  /** More than once a minute is allowed. */
  often?: boolean | undefined;
}

export interface TaskChanges {
  /** `sessionId`: of the agent that asks; where `to` isn't given, it speaks there. */
  create(agentGroupId: string, terms: TaskTerms, sessionId: string | undefined, by: By, now: number): Result<Changed>;
  update(id: string, terms: TaskTerms, by: By, now: number): Result<Changed>;
  pause(id: string, by: By, now: number): Result<Changed>;
  resume(id: string, by: By, now: number): Result<Changed>;
  cancel(id: string, by: By, now: number): Result<Changed>;
  runNow(id: string, by: By, now: number): Result<Changed>;
  get(id: string, by: By): Result<Task>;
  /** Its next times, in ms since the epoch. */
  next(id: string, count: number, by: By): Result<{ task: Task; times: number[] }>;
  /** The newest first. */
  history(id: string, limit: number, by: By): Result<Run[]>;
}

export interface Changed {
  task: Task;
  remark?: string | undefined;
}

export interface ChangesParts {
  db: DatabaseSync;
  table: Table;
  change: Change;
  firings: Firings;
  sessions: Pick<Sessions, 'get'>;
  /** After a change: what is due next may be another. */
  changed(): void;
  wake(sessionId: string): void;
}

const MOST_TASKS = 200;
const LONGEST = { prompt: 16_384, script: 16_384, name: 80 };
const NAME_OF_PROMPT = 40;

export function createTaskChanges(parts: ChangesParts): TaskChanges {
  const { db, table, change, sessions } = parts;
  const destinations = db.prepare(
    `SELECT d.local_name AS name, d.target_id AS chat, m.channel_type AS channel FROM agent_destinations d
     LEFT JOIN messaging_groups m ON m.id = d.target_id
     WHERE d.agent_group_id = ? AND d.target_type = 'channel' ORDER BY d.local_name`,
  );

  function find(id: string, by: By): Task | undefined {
    const task = table.get(id);
    return task && mayTouch(by, task.agentGroupId) ? task : undefined;
  }

  /** One of the agent's own destinations. */
  function placeOf(agentGroupId: string, to: string | undefined, sessionId: string | undefined, by: By) {
    const known = destinations
      .all(agentGroupId)
      .map((row) => ({ name: String(row.name), chatId: String(row.chat), channel: String(row.channel) }));
    const session = sessionId === undefined ? undefined : sessions.get(sessionId);
    const here = known.find(({ chatId }) => chatId === session?.messagingGroupId);
    // Who asks at a terminal is there.
    const near = known.filter(({ channel }) => by.actor.startsWith(`${channel}:`));
    const [only] = session ? [] : ([known, near].find(({ length }) => length === 1) ?? []);
    const found = to === undefined ? (here ?? only) : known.find(({ name }) => same(name, to));
    if (!found) {
      const names = known.map(({ name }) => name).join(', ');
      const missed = to === undefined ? 'Say where it speaks: --to <destination>.' : `There is no destination “${to}”.`;
      const code = to === undefined ? 'NC_USAGE' : 'NC_NOT_FOUND';
      return refuse(code, `${missed} ${names === '' ? 'This agent has none.' : `This agent's: ${names}.`}`);
    }
    // Asked for in a thread, it speaks there.
    return {
      ok: true as const,
      data: { chatId: found.chatId, threadId: found === here ? (session?.threadId ?? null) : null },
    };
  }

  function changeTask(
    id: string,
    action: string,
    by: By,
    now: number,
    work: (task: Task) => Result<Fields & { remark?: string | undefined }>,
  ): Result<Changed> {
    return after(
      change(by, now, (note) => {
        const task = find(id, by);
        if (!task) return missing('task', id);
        const done = work(task);
        if (!done.ok) return done;
        const { remark, ...fields } = done.data;
        note({ action: `task.${action}`, subject: id, detail: { name: task.name } });
        return { ok: true, data: { task: table.change(task, fields, now), remark } };
      }),
    );
  }

  function after<T>(result: Result<T>): Result<T> {
    if (result.ok) parts.changed();
    return result;
  }

  return {
    create: (agentGroupId, terms, sessionId, by, now) =>
      after(
        change(by, now, (note) => {
          const agent = getAgentGroup(db, agentGroupId);
          if (!agent || !mayTouch(by, agentGroupId)) return missing('agent', agentGroupId);
          const problem = problemOf(terms);
          if (problem !== undefined) return refuse('NC_USAGE', problem);
          if (table.countLive(agentGroupId) >= MOST_TASKS) return tooMany();
          const planned = planOf(terms.when ?? '', terms.timezone ?? agent.timezone, now, terms);
          if (!planned.ok) return planned;
          const place = placeOf(agentGroupId, terms.to, sessionId, by);
          if (!place.ok) return place;
          const prompt = cleanText(terms.prompt ?? '');
          const task = table.add(
            {
              ...place.data,
              agentGroupId,
              name: nameOf(terms.name ?? shortened(prompt)),
              prompt,
              script: cleanText(terms.script ?? '') || null,
              catchUp: terms.catchUp ?? 'once',
              schedule: planned.data.schedule,
              nextAt: planned.data.next,
              createdBy: by.actor,
            },
            now,
          );
          note({ action: 'task.created', subject: task.id, detail: { agent: agentGroupId, name: task.name } });
          return { ok: true, data: { task, remark: planned.data.remark } };
        }),
      ),
    update: (id, terms, by, now) =>
      changeTask(id, 'updated', by, now, (task) => {
        const problem = problemOf({ ...terms, when: terms.when ?? '-', prompt: terms.prompt ?? '-' });
        if (problem !== undefined) return refuse('NC_USAGE', problem);
        const place = terms.to === undefined ? undefined : placeOf(task.agentGroupId, terms.to, undefined, by);
        if (place?.ok === false) return place;
        const isTimed = terms.when !== undefined || terms.timezone !== undefined;
        const { text, timezone } = task.schedule;
        const planned = isTimed ? planOf(terms.when ?? text, terms.timezone ?? timezone, now, terms) : undefined;
        if (planned?.ok === false) return planned;
        if (!planned && (task.status === 'done' || task.status === 'cancelled')) {
          return refuse('NC_USAGE', `It is ${task.status}: with another time it begins again.`);
        }
        const isPaused = task.status === 'paused';
        const begins = !isPaused && task.status !== 'active';
        if (begins && table.countLive(task.agentGroupId) >= MOST_TASKS) return tooMany();
        return {
          ok: true,
          data: {
            ...place?.data,
            ...(planned && { schedule: planned.data.schedule, failures: 0 }),
            ...(planned && !isPaused && { status: 'active' as const, nextAt: planned.data.next }),
            ...(terms.prompt !== undefined && { prompt: cleanText(terms.prompt) }),
            ...(terms.name !== undefined && { name: nameOf(terms.name) }),
            ...(terms.script !== undefined && { script: cleanText(terms.script) || null }),
            ...(terms.catchUp && { catchUp: terms.catchUp }),
            remark: planned?.data.remark,
          },
        };
      }),
    pause: (id, by, now) =>
      changeTask(id, 'paused', by, now, ({ status }) =>
        status === 'active' || status === 'paused'
          ? { ok: true, data: { status: 'paused', reason: null, nextAt: null } }
          : refuse('NC_USAGE', `It is ${status}.`),
      ),
    resume: (id, by, now) =>
      changeTask(id, 'resumed', by, now, ({ status, schedule, nextAt }) => {
        if (status === 'active') return { ok: true, data: { nextAt } };
        if (status !== 'paused') return refuse('NC_USAGE', `It is ${status}: with another time it begins again.`);
        const planned = plan(schedule.text, schedule.timezone, now, { often: true });
        // What was due while it was paused comes now.
        if (!planned.ok && schedule.recurs) return refuse('NC_USAGE', planned.problem);
        const next = planned.ok ? planned.next : now;
        return { ok: true, data: { status: 'active', reason: null, failures: 0, nextAt: next } };
      }),
    cancel: (id, by, now) =>
      changeTask(id, 'cancelled', by, now, () => ({ ok: true, data: { status: 'cancelled', nextAt: null } })),
    runNow(id, by, now) {
      let woken: string[] = [];
      const result = changeTask(id, 'run', by, now, (task) => {
        if (task.status === 'cancelled') return refuse('NC_USAGE', 'It is cancelled.');
        if (table.isRunning(id)) return refuse('NC_BUSY', 'It is running.');
        const fired = parts.firings.fireNow(task, now);
        if (!fired.ok) return refuse('NC_FORBIDDEN', `It can't run: ${fired.why}.`);
        woken = fired.wake;
        return { ok: true, data: {} };
      });
      if (result.ok) for (const sessionId of woken) parts.wake(sessionId);
      return result;
    },
    get(id, by) {
      const task = find(id, by);
      return task ? { ok: true, data: task } : missing('task', id);
    },
    next(id, count, by) {
      const task = find(id, by);
      if (!task) return missing('task', id);
      const { schedule, nextAt } = task;
      const times = nextAt === null ? [] : [nextAt, ...upcoming(schedule, nextAt, count - 1)];
      return { ok: true, data: { task, times } };
    },
    history(id, limit, by) {
      return find(id, by) ? { ok: true, data: table.history(id, limit) } : missing('task', id);
    },
  };
}

function planOf(
  when: string,
  timezone: string,
  now: number,
  { often }: TaskTerms,
): Result<Extract<Planned, { ok: true }>> {
  const planned = plan(when, timezone, now, { often: often ?? false });
  return planned.ok ? { ok: true, data: planned } : refuse('NC_USAGE', planned.problem);
}

function tooMany() {
  return refuse('NC_BUSY', `${MOST_TASKS} tasks are the most: cancel some first.`);
}

function problemOf({ when = '', prompt = '', script = '', name = '' }: TaskTerms): string | undefined {
  if (when.trim() === '') return 'Say when: a time, or a cron expression.';
  if (prompt.trim() === '') return 'Say what is to be done.';
  if (when.length > 200) return 'That is no time.';
  for (const [word, text] of Object.entries({ prompt, script, name })) {
    const most = LONGEST[word === 'script' ? 'script' : word === 'name' ? 'name' : 'prompt'];
    if (text.length > most) return `The ${word} is too long: ${most} characters are the most.`;
  }
  return undefined;
}

function shortened(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line.length > NAME_OF_PROMPT ? `${line.slice(0, NAME_OF_PROMPT).toWellFormed()}…` : line;
}

/** On one line, and nothing in it that hides or turns what stands beside it. */
function nameOf(text: string): string {
  return (
    cleanText(text)
      .replaceAll(/[\s\p{Cc}\p{Bidi_Control}]+/gu, ' ')
      .trim() || 'Task'
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.trim().toLowerCase();
}
