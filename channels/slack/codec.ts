import { randomBytes } from 'node:crypto';
import { createSlackAdapter } from '@chat-adapter/slack';
import { MAX_ATTACHMENT_BYTES } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { ChannelHost } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { createBridge } from '../chat-sdk/bridge.ts';
import type { Api } from './api.ts';
import type { Chats } from './chats.ts';
import { createDownloads } from './downloads.ts';
import { isDm } from './events.ts';
import { escapeText } from './mrkdwn.ts';
import type { Settings } from './settings.ts';
import { sign } from './webhook.ts';
import { commandIn, wordsOf } from './words.ts';

/**
 * The Chat SDK's adapter for Slack, as a reader of messages, changes and presses: who is meant by which id, what is code and what
 * a mention, tables, attachments. It believes requests that are signed with a secret; that one is ours, made anew each time.
 */

export interface CodecParts {
  context: Pick<ChannelContext, 'instance' | 'log'>;
  settings: Pick<Settings, 'apiUrl' | 'botToken'>;
  api: Api;
  me: { user_id: string; user?: string | undefined };
  chats: Chats;
  /** For files on their way. */
  files: string;
  signal: AbortSignal;
}

export interface Codec {
  start(host: ChannelHost): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when the host has taken it, rejects when it hasn't. */
  receive(payload: unknown, message?: { channel: string; ts: string }): Promise<void>;
}

/** Its own client would try for half an hour, and wait as long for a limit. */
const CLIENT = { retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, timeout: 5_000 };
const MAX_ANSWER = 1_000;

const Pressed = z.object({
  channel: z.looseObject({ id: z.string() }).optional(),
  container: z.looseObject({ channel_id: z.string().optional(), thread_ts: z.string().optional() }).optional(),
  message: z.looseObject({ thread_ts: z.string().optional() }).optional(),
  user: z.looseObject({ id: z.string() }),
});

export function createCodec({ context, settings, api, me, chats, files, signal }: CodecParts): Codec {
  const { instance: channelType, log } = context;
  const secret = randomBytes(32).toString('hex');
  const quiet = { child: () => quiet, debug() {}, info() {}, warn: note, error: note };

  function note(message: string): void {
    log.debug(log.redact(message));
  }

  const bridge = createBridge({
    channelType,
    platform: 'slack',
    adapter: createSlackAdapter({
      botToken: settings.botToken,
      botUserId: me.user_id,
      userName: me.user ?? 'bot',
      signingSecret: secret,
      apiUrl: `${settings.apiUrl}/`,
      mode: 'webhook',
      webClientOptions: CLIENT,
      logger: quiet,
    }),
    placeOf(id) {
      const [, platformId = '', thread = ''] = id.split(':');
      return { platformId, threadId: thread === '' || isDm(platformId) ? null : thread };
    },
    threadIdOf: (platformId, threadId) => `slack:${platformId}:${threadId ?? ''}`,
    folder: files,
    maxFileBytes: MAX_ATTACHMENT_BYTES,
    fetchFile: createDownloads({
      ...{ api, apiUrl: settings.apiUrl, folder: files, maxBytes: MAX_ATTACHMENT_BYTES, log, signal },
    }),
    textOf: (said) => commandIn(said.raw, wordsOf(said), me.user_id),
    isMention: (said) => said.isMention === true,
    chatNameOf: (platformId) => (isDm(platformId) ? Promise.resolve(undefined) : chats.nameOf(platformId)),
    answer: tell,
    log,
  });

  /** To the one who pressed, and seen by nobody else. */
  async function tell(raw: unknown, text: string): Promise<void> {
    const pressed = Pressed.safeParse(raw).data;
    const channel = pressed?.channel?.id ?? pressed?.container?.channel_id;
    if (!pressed || channel === undefined) return;
    const thread_ts = pressed.message?.thread_ts ?? pressed.container?.thread_ts;
    const fields = {
      channel,
      user: pressed.user.id,
      text: escapeText(text.slice(0, MAX_ANSWER).toWellFormed()),
      thread_ts,
    };
    await api.call('chat.postEphemeral', fields, z.unknown(), { signal }).catch((error: unknown) => {
      log.warn('slack did not take an answer', { error: errorText(error) });
    });
  }

  return {
    start: bridge.start,
    stop: bridge.stop,
    async receive(payload, message) {
      // For every link it would wait two seconds, for a preview of it that isn't used.
      if (message) await bridge.note(`slack:unfurls:${message.channel}:${message.ts}`, {});
      const response = await bridge.receive(signed(payload, secret));
      if (!response.ok) throw new Error(`The event could not be read (${response.status}).`);
    },
  };
}

/** As Slack's own request would be. */
function signed(payload: unknown, secret: string): Request {
  const isPress = typeof payload === 'object' && payload !== null && 'actions' in payload;
  const json = JSON.stringify(payload);
  const body = isPress ? String(new URLSearchParams({ payload: json })) : json;
  const timestamp = String(Math.floor(Date.now() / 1000));
  return new Request('http://slack.invalid/', {
    method: 'POST',
    headers: {
      'content-type': isPress ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': sign(secret, timestamp, body),
    },
    body,
  });
}
