import type { InboundImage } from '../inbound-image.ts';
import type { MessageInRow } from '../rows.ts';

export function messageIn(seq: number, text: string, rest: Partial<MessageInRow> = {}): MessageInRow {
  return {
    id: `m${seq}`,
    seq,
    kind: 'chat',
    timestamp: '2026-01-01T00:00:00.000Z',
    status: 'pending',
    process_after: null,
    tries: 0,
    trigger: 1,
    on_wake: 0,
    platform_id: 'p',
    channel_type: 'terminal',
    thread_id: null,
    content: JSON.stringify({ text, sender: 'Someone' }),
    source_session_id: null,
    ...rest,
  };
}

export function imageOf(messages: readonly MessageInRow[]): InboundImage {
  return {
    messages,
    delivered: [],
    receivedSeq: 0,
    destinations: [],
    routing: { channel_type: null, platform_id: null, thread_id: null },
  };
}
