import { ChatOut } from '@nanoclaw/protocol';
import { z } from 'zod';

/** What of the table `messages` is a conversation, and what it says. Pure. */

/** A row, as both the index and a search read it. */
export const StoredRow = z.object({
  id: z.string(),
  session_id: z.string(),
  agent_group_id: z.string(),
  direction: z.enum(['in', 'out']),
  /** NULL: the host's own. */
  seq: z.number().nullable(),
  kind: z.string(),
  timestamp: z.string(),
  created_at: z.string(),
  channel_type: z.string().nullable(),
  platform_id: z.string().nullable(),
  thread_id: z.string().nullable(),
  user_id: z.string().nullable(),
  content: z.string(),
});
export type StoredRow = z.infer<typeof StoredRow>;

export const COLUMNS = `m.id, m.session_id, s.agent_group_id, m.direction, m.seq, m.kind, m.timestamp, m.created_at,
  m.channel_type, m.platform_id, m.thread_id, m.user_id, m.content`;

export interface Said {
  text: string;
  /** As the sender was called then; null: the agent itself. */
  sender: string | null;
  /** In ms since the epoch. */
  at: number;
  /** The message of its own that this one says anew: by its id or its number. */
  instead?: string;
}

const Names = z.array(z.object({ name: z.string() })).catch([]);
const Heard = z.looseObject({
  text: z.string().catch(''),
  sender: z.string().catch(''),
  attachments: Names.optional(),
  edited: z.string().optional(),
  deleted: z.boolean().optional(),
});
const Called = z.object({ source: z.string(), event: z.string(), payload: z.unknown() });

/** Nothing is later than when it was stored, whatever a platform's clock says. */
const AHEAD_MS = 86_400_000;

/** Undefined: nothing that anybody said, or what its author took back. */
export function saidIn(row: StoredRow): Said | undefined {
  const content = parse(row.content);
  if (content === undefined) return undefined;
  const at = timeOf(row);
  if (row.direction === 'out') return row.kind === 'chat' && row.seq !== null ? spoken(content, at) : undefined;
  if (row.kind === 'webhook') return called(content, at);
  const heard = row.kind === 'chat' || row.kind === 'chat-sdk' ? Heard.safeParse(content).data : undefined;
  if (!heard || heard.deleted) return undefined;
  const files = heard.attachments?.map(({ name }) => `[${name}]`) ?? [];
  return { text: [heard.edited ?? heard.text, ...files].join(' ').trim(), sender: heard.sender, at };
}

function spoken(content: unknown, at: number): Said | undefined {
  const { data } = ChatOut.safeParse(content);
  if (!data || data.reacts) return undefined;
  const files = data.files?.map((name) => `[${name}]`) ?? [];
  const text = [data.edits?.text ?? data.text, ...files].join(' ').trim();
  return { text, sender: null, at, ...(data.edits && { instead: data.edits.message }) };
}

function called(content: unknown, at: number): Said | undefined {
  const { data } = Called.safeParse(content);
  if (!data) return undefined;
  const payload = typeof data.payload === 'string' ? data.payload : (JSON.stringify(data.payload) ?? '');
  return { text: `${data.event} ${payload}`.trim(), sender: data.source, at };
}

/** What a sandbox says of the time counts nothing. */
function timeOf({ direction, timestamp, created_at }: StoredRow): number {
  const stored = Date.parse(created_at) || 0;
  const said = direction === 'in' ? Date.parse(timestamp) : Number.NaN;
  return said > 0 && said <= stored + AHEAD_MS ? said : stored;
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // What nobody can read, nobody finds.
    return undefined;
  }
}
