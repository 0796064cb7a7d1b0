/** Rows of the mailbox tables, as they are stored. Times are ISO-8601 UTC with `Z`. */

export type MessageInKind = 'chat' | 'chat-sdk' | 'task' | 'webhook' | 'system';
export type MessageOutKind = 'chat' | 'chat-sdk' | 'system';

/** A message to the agent. `content` is JSON; its shape depends on `kind` (see `content.ts`). */
export interface MessageInRow {
  id: string;
  /** Even, given by the host. */
  seq: number;
  kind: MessageInKind;
  timestamp: string;
  status: 'pending' | 'paused';
  /** Not to be processed before this time. */
  process_after: string | null;
  /** How often it has been tried before; above 0 the prompt says so. */
  tries: number;
  /** 1 wakes the agent, 0 only rides along as context. */
  trigger: 0 | 1;
  /** 1: only for the first look of a fresh sandbox. */
  on_wake: 0 | 1;
  platform_id: string | null;
  channel_type: string | null;
  thread_id: string | null;
  content: string;
  source_session_id: string | null;
}

/** Something that the agent says or asks of the host. */
export interface MessageOutRow {
  id: string;
  /** Odd, given by the runner. */
  seq: number;
  in_reply_to: string | null;
  timestamp: string;
  deliver_after: string | null;
  kind: MessageOutKind;
  platform_id: string | null;
  channel_type: string | null;
  thread_id: string | null;
  content: string;
}

/** What became of something that the agent said. */
export interface DeliveredRow {
  message_out_id: string;
  status: 'delivered' | 'failed';
  platform_message_id: string | null;
  error: string | null;
  at: string;
}

/** A name that the agent may send to. */
export interface DestinationRow {
  name: string;
  display_name: string | null;
  type: 'channel' | 'agent';
  channel_type: string | null;
  platform_id: string | null;
  agent_group_id: string | null;
}

/** A place in a channel: a chat, and a thread in it where the platform has threads. */
export interface Origin {
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
}

/** Which messages the runner holds, and which it is done with. `error` is JSON (`AckError`) on `failed`. */
export interface ProcessingAckRow {
  message_id: string;
  status: 'processing' | 'completed' | 'failed';
  status_changed: string;
  error: string | null;
}
