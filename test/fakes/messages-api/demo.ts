import {
  billing,
  empty,
  forbidden,
  message,
  overloaded,
  promptTooLong,
  type Reply,
  rateLimited,
  say,
  serverError,
  stallAfter,
  text,
  tool,
  unauthorized,
} from './reply.ts';
import { type MessagesRequest, resultText } from './request.ts';

/**
 * A script that has an answer to everything, for trying the product by hand:
 * `run: <command>` uses Bash, `fail: <status>` fails, `silence` says nothing, anything else is told back.
 */
export function demoScript(request: MessagesRequest): Reply {
  const last = request.messages.findLast((turn) => turn.role === 'user');
  const results = (last?.content ?? []).filter((block) => block.type === 'tool_result');
  const said = words(last?.content.map((block) => block.text ?? '').join('\n') ?? '');
  if (results.length > 0) {
    const output = results.map(resultText).join('\n').trim();
    return say(said === '' ? `It printed: ${output}` : `It printed: ${output}\nAnd you said: ${said}`);
  }
  const command = /run:\s*(.+)/.exec(said)?.[1];
  if (command !== undefined)
    return message(text('I will run that.'), tool('Bash', { command: command.trim(), description: 'as asked' }));
  const failure = /fail:\s*(\w+)/.exec(said)?.[1];
  if (failure !== undefined) return failures[failure]?.() ?? serverError();
  if (/^silence\b/.test(said)) return empty();
  const turns = request.messages.filter((turn) => turn.role === 'assistant').length;
  return say(turns === 0 ? `You said: ${said}` : `You said: ${said} (and ${turns} answers came before)`);
}

const failures: Record<string, () => Reply> = {
  '401': unauthorized,
  '403': forbidden,
  '429': () => rateLimited(20),
  '500': serverError,
  '529': overloaded,
  billing,
  context: promptTooLong,
  stall: () => stallAfter('I was about to say'),
};

/** What a person wrote, without what a harness and a runner put around it. */
function words(prompt: string): string {
  const bare = prompt.replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '');
  const inMessages = [...bare.matchAll(/<message\b[^>]*>([\s\S]*?)<\/message>/g)].map((found) => found[1] ?? '');
  const shown = (inMessages.length > 0 ? inMessages.join('\n') : bare).replaceAll(/<[^>]+>/g, '');
  return shown
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
    .trim();
}
