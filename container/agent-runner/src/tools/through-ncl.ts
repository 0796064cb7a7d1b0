import { errorText } from '../log.ts';
import { askThrough } from '../ncl/ask.ts';
import { failure, type Kit } from './send.ts';
import type { ToolResult } from './tool.ts';

/** What the host does for a tool: a command of `ncl`, and its answer. */
export async function through(
  kit: Kit,
  words: string[],
  given: Record<string, unknown>,
  rest?: string,
): Promise<ToolResult> {
  try {
    if (kit.look().stopped) return failure('The user has stopped this turn. Nothing was done.');
    const flags = Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : `--${name.replace('_', '-')}=${String(value)}`,
    );
    const argv = [...words, ...flags, ...(rest === undefined ? [] : ['--', rest])];
    const answer = await askThrough(kit.outbound, () => kit.look().messages, argv);
    if (!answer)
      return failure('The host did not answer. It may have done it all the same: look before you try again.');
    return answer.exit === 0 ? { text: answer.out } : failure(answer.err);
  } catch (error) {
    return failure(`It could not be done: ${errorText(error)}`);
  }
}
