import { stderr } from 'node:process';
import type { ChannelManifest, ChannelSetting } from '../../src/channels/plugin.ts';
import type { Values } from './ask-settings.ts';

/** What somebody is asked at this terminal who adds an account. Each question can be left: by Ctrl-C, or an empty answer. */

export function isAsking(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** stdout stays free for what a caller reads. */
const output = stderr;

/** What was answered, with whether all of it was. */
export async function askSettings(
  settings: readonly ChannelSetting[],
  known: Values,
): Promise<{ values: Values; left: boolean }> {
  const { note, password, text } = await import('@clack/prompts');
  const values = { ...known };
  for (const { name, label, steps, secret } of settings) {
    if (steps.length > 0) note(steps.map((step, index) => `${index + 1}. ${step}`).join('\n'), label, { output });
    const message = `${label} (Enter alone leaves this for later)`;
    const shown = known[name] ?? '';
    const answer = await (secret ? password({ message, output }) : text({ message, initialValue: shown, output }));
    const given = typeof answer === 'string' ? answer.trim() : '';
    if (given === '') return { values, left: true };
    values[name] = given;
  }
  return { values, left: false };
}

export type Next = 'again' | 'anew' | 'leave' | 'forget';

/** What was given doesn't work: what now? */
export async function askNext({ settings }: ChannelManifest, hasOthers: boolean): Promise<Next> {
  const { select } = await import('@clack/prompts');
  const hasMore = settings.some(({ required }) => required);
  const answer = await select<Next>({
    message: 'What now?',
    options: [
      ...(hasMore ? [{ value: 'anew' as const, label: 'Give its settings anew' }] : []),
      { value: 'again', label: 'Try once more' },
      ...(hasOthers
        ? [{ value: 'leave' as const, label: 'Leave it as it was' }]
        : [
            { value: 'leave' as const, label: 'Leave it for later', hint: 'the host goes on trying' },
            { value: 'forget' as const, label: 'Forget it' },
          ]),
    ],
    output,
  });
  return typeof answer === 'string' ? answer : 'leave';
}
