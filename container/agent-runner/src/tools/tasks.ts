import { z } from 'zod';
import { addressOf, sameChat } from '../destinations.ts';
import type { Kit } from './send.ts';
import { through } from './through-ncl.ts';
import type { Tool } from './tool.ts';

/** What is to be done at a time: the words of `ncl tasks`, and its answers. */

const task = z.string().describe('Its id or its name.');
const when = z
  .string()
  .describe(
    'Once: "2030-01-31 09:00" there, "2030-01-31T09:00+01:00", or "in 20 minutes". Again and again: a cron expression such as "0 9 * * 1-5".',
  );
const prompt = z.string().describe('What you are to do then. You will see this text alone, so say all that you need.');
const more = {
  to: z.string().optional().describe('The destination that gets your answer. Absent: this chat.'),
  name: z.string().optional(),
  timezone: z.string().optional().describe('Such as Europe/Berlin. Absent: yours.'),
  catch_up: z.enum(['skip', 'once', 'all']).optional().describe('What becomes of times at which nothing ran.'),
  script: z
    .string()
    .optional()
    .describe(
      'Bash that runs first. Its last line is JSON: {"wakeAgent": true, "data": …} wakes you, {"wakeAgent": false} costs nothing.',
    ),
};

export function taskTools(kit: Kit): Tool[] {
  const make = (name: string, word: string, description: string, input: z.ZodRawShape): Tool => ({
    name,
    description,
    input,
    run: (given) => run(kit, word, given),
  });
  return [
    make('schedule_task', 'create', 'Plans something for a time, once or again and again.', { when, prompt, ...more }),
    make('list_tasks', 'list', 'Your tasks, the next first.', {}),
    make('update_task', 'update', 'Changes a task. An empty script takes it away.', {
      task,
      when: when.optional(),
      prompt: prompt.optional(),
      ...more,
    }),
    make('pause_task', 'pause', 'Lets a task rest.', { task }),
    make('resume_task', 'resume', 'Lets a paused task go on.', { task }),
    make('cancel_task', 'cancel', 'Ends a task.', { task }),
  ];
}

function run(kit: Kit, word: string, given: Record<string, unknown>) {
  const { origin, destinations } = kit.look();
  const here = destinations.find((each) => origin && sameChat(addressOf(each), origin));
  return through(kit, ['tasks', word], word === 'create' && here ? { to: here.name, ...given } : given);
}
