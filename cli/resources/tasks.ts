import type { Result } from '../../admin/view.ts';
import type { Changed, TaskTerms } from '../../assistant/tasks/changes.ts';
import type { Run, Task } from '../../assistant/tasks/table.ts';
import { CATCH_UP, inWords } from '../../assistant/tasks/words.ts';
import {
  type Arguments,
  type Call,
  type Command,
  type Flag,
  type HostCommand,
  hostCommand,
  textOf,
} from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { table } from '../table.ts';
import { GROUP } from './groups.ts';
import { ago, choiceOf, getCommand, listCommand, positionalOf, type Subject, shown } from './resource.ts';

/** What agents do at a time. For their own destinations, agents do all of it at once; people do it for any agent. */

const TASK = { name: 'tasks', kind: 'task', word: 'task', also: ['id'] } as const satisfies Subject;
const STATUSES = ['active', 'paused', 'done', 'cancelled'] as const;
const NEXT = 5;

const TERMS: readonly Flag[] = [
  {
    name: 'when',
    value: 'time',
    description:
      'once: 2030-01-31 09:00 (there), 2030-01-31T09:00+01:00, or in 20 minutes; again and again: a cron expression (minute hour day month weekday)',
  },
  { name: 'prompt', value: 'text', description: 'what the agent is to do then' },
  { name: 'to', value: 'destination', description: 'where it speaks; at first where it is asked for' },
  { name: 'name', value: 'name', description: 'what it is called' },
  { name: 'timezone', value: 'zone', description: "such as Europe/Berlin; the agent's at first" },
  {
    name: 'catch-up',
    value: 'policy',
    choices: CATCH_UP,
    description: 'what becomes of times at which nothing ran: left out, made up for once (at first), or each of them',
  },
  {
    name: 'script',
    value: 'script',
    description:
      'bash, run in the sandbox before: its last line is JSON, {"wakeAgent": true, "data": …} or {"wakeAgent": false}, and with false no model is asked',
  },
  { name: 'often', description: 'allows more than once a minute; not for agents' },
];

const list = listCommand({
  name: 'tasks',
  kind: 'task',
  summary: 'What agents do at a time, the next first',
  none: 'There is no task.',
  agents: 'read',
  columns: [
    { head: 'ID', of: 'id' },
    { head: 'NAME', of: 'name' },
    { head: 'AGENT', of: 'agent' },
    { head: 'WHERE', of: (row) => shown(row.destination) },
    { head: 'STATUS', of: 'status' },
    { head: 'SCHEDULE', of: 'schedule' },
    { head: 'NEXT', of: (row) => (row.nextAt ? inWords(Date.parse(String(row.nextAt)), String(row.timezone)) : '–') },
    { head: 'LAST', of: (row) => (row.lastRun ? `${shown(row.lastStatus)} ${ago(row.lastRun)}` : '–') },
  ],
  filters: [
    { ...positionalOf(GROUP), required: false, value: 'group', column: 'agentGroupId', also: GROUP.also.slice(1) },
    { name: 'status', value: 'status', choices: STATUSES, description: 'only those in that state' },
    { name: 'destination', value: 'name', description: 'only those that speak there' },
  ],
});

const create = hostCommand<Changed>({
  name: 'tasks create',
  summary: 'Let an agent do something at a time',
  agents: 'own',
  positionals: [{ ...positionalOf(GROUP), also: GROUP.also.slice(1) }],
  flags: TERMS.map((flag) => ({ ...flag, required: flag.name === 'when' || flag.name === 'prompt' })),
  handle(view, args, { caller, by, now }) {
    const group = textOf(args, 'group') ?? '';
    const isAgent = caller.kind === 'agent';
    const terms = termsOf(args, isAgent);
    return terms.ok ? view.tasks.create(group, terms.data, isAgent ? caller.sessionId : undefined, by, now) : terms;
  },
  show: (changed) => described('It is planned', changed),
});

const update = hostCommand<Changed>({
  name: 'tasks update',
  summary: 'Change a task; with another time or zone, what comes next is found anew',
  agents: 'own',
  positionals: [positionalOf(TASK)],
  flags: TERMS,
  handle(view, args, { caller, by, now }) {
    const terms = termsOf(args, caller.kind === 'agent');
    return terms.ok ? view.tasks.update(idOf(args), terms.data, by, now) : terms;
  },
  show: (changed) => described('It is changed', changed),
});

const history = hostCommand<{ task: Task; runs: Run[] }>({
  name: 'tasks history',
  summary: 'When it ran, and what came of it',
  agents: 'read',
  positionals: [positionalOf(TASK)],
  flags: [{ name: 'limit', short: 'n', value: 'count', description: 'how many; 20 at first' }],
  handle(view, args, { by }) {
    const limit = numberOf(args, 'limit', { least: 1, most: 500, otherwise: 20 });
    const task = view.tasks.get(idOf(args), by);
    if (!task.ok) return task;
    const runs = view.tasks.history(idOf(args), limit, by);
    return runs.ok ? { ok: true, data: { task: task.data, runs: runs.data } } : runs;
  },
  show({ task, runs }, look) {
    if (runs.length === 0) return 'It has not run yet.';
    const rows = runs.map(({ dueAt, status, missed, detail, messageId }) => [
      inWords(Date.parse(dueAt), task.schedule.timezone),
      status ?? 'running',
      missed > 0 ? `and ${missed} before it` : '–',
      shown(detail),
      shown(messageId),
    ]);
    return table(['TIME', 'STATUS', 'MISSED', 'WHY', 'MESSAGE'], rows, look);
  },
  data: ({ runs }) => runs,
});

const next = hostCommand<{ task: Task; times: number[] }>({
  name: 'tasks next',
  summary: `Its next ${NEXT} times, in words`,
  agents: 'read',
  positionals: [positionalOf(TASK)],
  handle: (view, args, { by }) => view.tasks.next(idOf(args), NEXT, by),
  show: ({ task, times }) =>
    times.map((at) => inWords(at, task.schedule.timezone)).join('\n') || `It has no next time: it is ${task.status}.`,
  data: ({ task, times }) =>
    times.map((at) => ({ at: new Date(at).toISOString(), words: inWords(at, task.schedule.timezone) })),
});

function changer(
  word: string,
  summary: string,
  handle: (view: Parameters<HostCommand['answer']>[0], id: string, call: Call) => Result<Changed>,
  done: string,
): Command {
  return hostCommand<Changed>({
    name: `tasks ${word}`,
    summary,
    agents: 'own',
    positionals: [positionalOf(TASK)],
    handle: (view, args, call) => handle(view, idOf(args), call),
    show: (changed) => described(done, changed),
  });
}

export const tasks: readonly Command[] = [
  list,
  getCommand(TASK, 'One task, with all that it says'),
  create,
  update,
  changer('pause', 'Let it rest', ({ tasks }, id, { by, now }) => tasks.pause(id, by, now), 'It is paused'),
  changer(
    'resume',
    'Let it go on; one whose time came while it was paused comes at once',
    ({ tasks }, id, { by, now }) => tasks.resume(id, by, now),
    'It goes on',
  ),
  changer('cancel', 'End it', ({ tasks }, id, { by, now }) => tasks.cancel(id, by, now), 'It is cancelled'),
  changer('run-now', 'Let it run now, besides', ({ tasks }, id, { by, now }) => tasks.runNow(id, by, now), 'It runs'),
  history,
  next,
];

function idOf(args: Arguments): string {
  return textOf(args, 'task') ?? '';
}

function termsOf(args: Arguments, isAgent: boolean): Result<TaskTerms> {
  if (isAgent && args.often === true) return { ok: false, code: 'NC_FORBIDDEN', detail: '--often is not for agents.' };
  return {
    ok: true,
    data: {
      to: textOf(args, 'to'),
      when: textOf(args, 'when'),
      prompt: textOf(args, 'prompt'),
      name: textOf(args, 'name'),
      timezone: textOf(args, 'timezone'),
      catchUp: choiceOf(args, 'catch-up', CATCH_UP),
      script: textOf(args, 'script'),
      often: args.often === true,
    },
  };
}

function described(done: string, { task, remark }: Changed): string {
  const { id, name, nextAt, schedule } = task;
  const when = nextAt === null ? '' : ` Next: ${inWords(nextAt, schedule.timezone)}.`;
  return `${done}: “${name}” (${id}).${when}${remark === undefined ? '' : ` ${remark}`}`;
}
