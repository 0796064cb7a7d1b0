import { z } from 'zod';

/** What Slack refuses of a message, from its documentation. Each returns the error's name, or nothing. */

const MAX_POST = 40_000;
const MAX_UPDATE = 4_000;

const PlainText = z.strictObject({
  type: z.literal('plain_text'),
  text: z.string().min(1).max(75),
  emoji: z.boolean().optional(),
});
const Section = z.strictObject({
  type: z.literal('section'),
  block_id: z.string().max(255).optional(),
  text: z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(3_000),
    verbatim: z.boolean().optional(),
  }),
});
const Button = z.strictObject({
  type: z.literal('button'),
  action_id: z.string().min(1).max(255),
  text: PlainText,
  value: z.string().max(2_000),
  style: z.enum(['primary', 'danger']).optional(),
});
const Actions = z.strictObject({
  type: z.literal('actions'),
  block_id: z.string().max(255).optional(),
  elements: z.array(Button).min(1).max(25),
});
const Blocks = z.array(z.discriminatedUnion('type', [Section, Actions])).max(50);
export type Blocks = z.infer<typeof Blocks>;

export function blocksOf(raw: string | undefined): Blocks | 'invalid_blocks' | 'invalid_blocks_format' | undefined {
  if (raw === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    return 'invalid_blocks_format';
  }
  const blocks = Blocks.safeParse(value);
  if (!blocks.success) return 'invalid_blocks';
  const ids = blocks.data.flatMap((one) => (one.type === 'actions' ? one.elements.map((each) => each.action_id) : []));
  return new Set(ids).size === ids.length ? blocks.data : 'invalid_blocks';
}

export function refusalOf(text: string, hasBlocks: boolean, isUpdate: boolean): string | undefined {
  if (text.trim() === '' && !hasBlocks) return 'no_text';
  if (text.length > (isUpdate ? MAX_UPDATE : MAX_POST)) return 'msg_too_long';
  return undefined;
}

/** The calls in a text: `<!channel>`, `<!here>`, `<@U…>`, `<!subteam^…>`. */
export function calledBy(text: string): string[] {
  return text.match(/<(?:!(?:channel|here|everyone)|!subteam\^|@[UW])[^>]*>/g) ?? [];
}

/** As people see it, but for the marks. */
export function shownOf(mrkdwn: string): string {
  return mrkdwn
    .replaceAll(/<(?![!@#])[^<>|]+\|([^<>]*)>/g, '$1')
    .replaceAll(/<((?:https?:|mailto:)[^<>|]+)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
