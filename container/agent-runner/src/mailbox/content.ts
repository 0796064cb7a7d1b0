import { Attachment, ChatIn, Control, type MessageInRow, SystemNote, TaskIn, WebhookIn } from '@nanoclaw/protocol';
import { z } from 'zod';

/** A row with its content understood. */
export interface ReadMessage {
  row: MessageInRow;
  body: Body;
}
export type Body =
  | ({ type: 'chat' } & ChatIn)
  | ({ type: 'task' } & z.infer<typeof TaskIn>)
  | ({ type: 'webhook' } & z.infer<typeof WebhookIn>)
  | ({ type: 'note' } & SystemNote)
  | ({ type: 'control' } & Control);

/** A Chat SDK message carries its author as an object, and whatever its platform added. */
const ChatSdkIn = z
  .object({
    text: z.string().default(''),
    sender: z.string().optional(),
    author: z.object({ fullName: z.string().optional(), userName: z.string().optional() }).optional(),
    attachments: z.array(Attachment).max(100).optional(),
    replyTo: ChatIn.shape.replyTo,
  })
  .transform(({ author, ...chat }) => ({
    ...chat,
    sender: chat.sender ?? author?.fullName ?? author?.userName ?? 'Unknown',
  }));

const SHAPES = {
  chat: ChatIn.transform((chat): Body => ({ type: 'chat', ...chat })),
  'chat-sdk': ChatSdkIn.transform((chat): Body => ({ type: 'chat', ...chat })),
  task: TaskIn.transform((task): Body => ({ type: 'task', ...task })),
  webhook: WebhookIn.transform((webhook): Body => ({ type: 'webhook', ...webhook })),
  system: z.union([
    Control.transform((control): Body => ({ type: 'control', ...control })),
    SystemNote.transform((note): Body => ({ type: 'note', ...note })),
  ]),
};

/** Understands a row's content, or says what is wrong with it. */
export function readMessage(row: MessageInRow): ReadMessage | { row: MessageInRow; problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(row.content);
  } catch {
    return { row, problem: 'content is not JSON' };
  }
  const read = SHAPES[row.kind].safeParse(json);
  if (read.success) return { row, body: read.data };
  const issue = read.error.issues[0];
  return { row, problem: `content does not fit kind ${row.kind}: ${issue?.path.join('.')} ${issue?.code}` };
}
