import { ChatOut, type Origin } from '@nanoclaw/protocol';
import { z } from 'zod';

/** What stands in outgoing rows, by who wrote them. */

export const NOTE = 'note';

/** Said by the host itself. */
export function isNote(messageId: string): boolean {
  return messageId.startsWith(`${NOTE}-`);
}

/** What the host itself says may hold more than what agents say. Nothing that an agent wrote is read by this. */
const HostOut = ChatOut.extend({
  card: z
    .object({
      title: z.string(),
      body: z.string(),
      buttons: z.array(z.object({ data: z.string().max(64), label: z.string() })).readonly(),
    })
    .optional(),
  /** What an agent is still writing, or a line about what it does meanwhile: late, it is worth nothing to anybody. */
  draft: z.enum(['answer', 'line']).optional(),
});
export type HostOut = z.infer<typeof HostOut>;

/** An outgoing row's content, by who wrote it. Throws on what isn't one. */
export function readContent(messageId: string, content: string): HostOut {
  return (isNote(messageId) ? HostOut : ChatOut).parse(JSON.parse(content));
}

export function pick(origin: Origin): Origin {
  return { channel_type: origin.channel_type, platform_id: origin.platform_id, thread_id: origin.thread_id };
}

export function parseJson<T>(
  text: string,
  schema: { safeParse(value: unknown): { success: boolean; data?: T } },
): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
