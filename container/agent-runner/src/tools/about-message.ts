import { cleanText } from '@nanoclaw/protocol';
import { z } from 'zod';
import { errorText } from '../log.ts';
import { stripInternal } from '../output/internal.ts';
import { failure, type Kit, send } from './send.ts';
import type { Tool, ToolResult } from './tool.ts';

/** Tools about a message that stands somewhere: the place is that message's, and so is the right to it. */

/** Longer ones become a file, which can't be put into what stands there. */
const MAX_EDIT = 64 * 1024;
const change = {
  message: z.string().min(1).max(256).describe('The id under which you sent it: msg-…'),
  text: z.string().max(MAX_EDIT).describe('What stands there from now on.'),
};
const reaction = {
  message: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('The id in <message id>, or of a message of yours. Absent: the one that you are answering.'),
  emoji: z.string().min(1).max(64).describe('One emoji, such as 👍.'),
};

/** Said anew, in full, where a platform changes nothing. */
export function editMessageTool(kit: Kit): Tool<typeof change> {
  return {
    name: 'edit_message',
    description: 'Changes a message that you have sent. Where a chat can not change messages, the text is sent anew.',
    input: change,
    async run({ message, text }) {
      const shown = stripInternal(cleanText(text)).trim();
      return shown === '' ? failure('The text is empty.') : about(kit, { text: shown, edits: { message } });
    },
  };
}

export function addReactionTool(kit: Kit): Tool<typeof reaction> {
  return {
    name: 'add_reaction',
    description: 'Puts an emoji to a message, where the chat knows reactions.',
    input: reaction,
    async run({ message = kit.look().replyTo ?? '', emoji }) {
      if (message === '') return failure('There is no message that you are answering: name one.');
      return about(kit, { text: '', reacts: { message, emoji: cleanText(emoji) } });
    },
  };
}

async function about(kit: Kit, body: Parameters<typeof send>[3]): Promise<ToolResult> {
  const situation = kit.look();
  if (situation.stopped) return failure('The user has stopped this turn. Nothing was changed.');
  try {
    return await send(kit, situation, { channel_type: null, platform_id: null, thread_id: null }, body);
  } catch (error) {
    return failure(`It could not be queued: ${errorText(error)}`);
  }
}
