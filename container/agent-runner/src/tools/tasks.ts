import { z } from 'zod';
import { addressOf, sameChat } from '../destinations.ts';
import { errorText } from '../log.ts';
import { askThrough } from '../ncl/ask.ts';
import { failure, type Kit } from './send.ts';
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

async function run({ outbound, look }: Kit, word: string, given: Record<string, unknown>) {
  try {
    const { origin, destinations, stopped } = look();
    if (stopped) return failure('The user has stopped this turn. Nothing was done.');
    const here = destinations.find((each) => origin && sameChat(addressOf(each), origin));
    const terms = Object.entries(word === 'create' && here ? { to: here.name, ...given } : given);
    const flags = terms.flatMap(([name, value]) =>
      value === undefined ? [] : `--${name.replace('_', '-')}=${String(value)}`,
    );
    const answer = await askThrough(outbound, () => look().messages, ['tasks', word, ...flags]);
    if (!answer) return failure('The host did not answer. It may have done it all the same: look at list_tasks.');
    return answer.exit === 0 ? { text: answer.out } : failure(answer.err);
  } catch (error) {
    return failure(`It could not be done: ${errorText(error)}`);
  }
}
