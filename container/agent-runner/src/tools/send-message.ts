import { cleanText } from '@nanoclaw/protocol';
import { z } from 'zod';
import { errorText } from '../log.ts';
import { newMessageId } from '../mailbox/outbound.ts';
import { chatContent } from '../output/chat-content.ts';
import { stripInternal } from '../output/internal.ts';
import { failure, type Kit, resolveAddress, send } from './send.ts';
import type { Tool } from './tool.ts';

const input = {
  to: z.string().optional().describe('Name of a destination. Absent: the chat that you are answering.'),
  text: z.string().describe('What to say.'),
};

export function sendMessageTool(kit: Kit): Tool<typeof input> {
  return {
    name: 'send_message',
    description: 'Sends a message now, before your turn has ended. For your answer itself you need no tool.',
    input,
    async run({ to, text }) {
      try {
        const situation = kit.look();
        const address = resolveAddress(to, situation);
        if ('text' in address) return address;
        const shown = stripInternal(cleanText(text)).trim();
        if (shown === '') return failure('The text is empty.');
        const id = newMessageId();
        return await send(kit, situation, address, chatContent(kit.outbox, id, shown), id);
      } catch (error) {
        return failure(`The message could not be queued: ${errorText(error)}`);
      }
    },
  };
}
