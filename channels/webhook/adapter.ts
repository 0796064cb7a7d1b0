import { isoTime, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import type {
  Acceptance,
  ChannelAdapter,
  ChannelHost,
  DeliveryResult,
  OutboundMessage,
} from '../../src/channels/adapter.ts';
import type { ChannelContext, WebAnswer, WebDoor, WebRequest } from '../../src/channels/plugin.ts';
import { readEvent } from './payload.ts';
import { post } from './post.ts';
import { type Verified, verify } from './signature.ts';
import type { Source } from './sources.ts';

/** Each source is a chat; its events come signed to /webhook/<account>/<source>, and answers are posted to its URL. */

/** What a payload may be longer than its text: blanks, escapes. */
const MAX_BODY_BYTES = 2 * MAX_TEXT_BYTES;
/** Recorded in place of the platform's id of a message that nobody wanted. */
const DROPPED = 'dropped:no-answer-url';

/** Ids of answers, of all accounts of this host: one account's may lead to another's. */
const posted = new Set<string>();
const POSTED_KEPT = 10_000;

function noteOwn(id: string): void {
  posted.add(id);
  const [oldest] = posted;
  if (posted.size > POSTED_KEPT && oldest !== undefined) posted.delete(oldest);
}

export function createWebhooks(
  { instance, log }: Pick<ChannelContext, 'instance' | 'log'>,
  web: WebDoor,
  sources: ReadonlyMap<string, Source>,
): ChannelAdapter {
  const [first] = sources.values();
  let leave: (() => Promise<void>) | undefined;

  async function take(host: ChannelHost, request: WebRequest): Promise<WebAnswer> {
    const now = Date.now();
    const source = sources.get(request.path === '' && sources.size === 1 ? (first?.name ?? '') : request.path);
    // A source that there is not takes as long as a wrong signature, and gets the same answer.
    const checked = source ?? first;
    const verified = checked && verify(checked, request, now);
    if (!source || !verified) return { status: 401, json: { error: 'not signed as it should be' } };
    // An ANSWER_URL that leads back here would have the agent talk to itself without end.
    if (posted.has(verified.id)) return { status: 200, json: { status: 'dropped' } };
    const event = readEvent(request.headers, request.body);
    if ('status' in event) return { status: event.status, json: { error: PROBLEMS[event.status] } };
    const { name, payload, text } = event;
    return answerTo(
      await host.accept({ ...eventOf(source, verified), text, webhook: { source: source.name, event: name, payload } }),
    );
  }

  function eventOf({ name }: Source, { id, at }: Verified) {
    return {
      channelType: instance,
      platformId: name,
      threadId: null,
      platformMessageId: id,
      senderId: `${instance}:${name}`,
      senderName: name,
      timestamp: isoTime(at),
      isMention: true,
      isGroup: false,
      chatName: name,
    };
  }

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    const { platformId, text, inReplyTo, progress, files } = message;
    // As what is signed: dots part it.
    const id = message.id.replaceAll('.', ':');
    const source = sources.get(platformId);
    if (!source) return { status: 'failed', retryable: false, error: `There is no source ${platformId} any more.` };
    if (!leave) return { status: 'failed', retryable: true, offline: true, error: 'It was stopped.' };
    if (progress) return { status: 'sent' };
    if (!source.answer) {
      log.info('an answer is dropped', {
        channel: instance,
        source: platformId,
        messageId: id,
        reason: 'no ANSWER_URL',
      });
      return { status: 'sent', platformMessageId: DROPPED };
    }
    const left = files.map(({ name }) => `(The file ${name} can't be sent here.)`);
    const data = { id, source: platformId, text: [text, ...left].join('\n').trim(), inReplyTo: inReplyTo ?? null };
    noteOwn(id);
    return post(source.answer, { id, body: Buffer.from(JSON.stringify({ type: 'answer', data })) });
  }

  return {
    channelType: instance,
    capabilities: {
      threads: false,
      maxTextLength: MAX_TEXT_BYTES,
      buttons: false,
      edits: false,
      idempotencyKey: true,
      afterDowntime: 'redelivers',
    },
    async start(host) {
      leave = await web.serve((request) => take(host, request), { maxBodyBytes: MAX_BODY_BYTES });
    },
    async stop() {
      const end = leave;
      leave = undefined;
      await end?.();
    },
    deliver,
    typing() {},
    isGroup: () => false,
    isChatId: () => false,
    async listChats() {
      return [...sources.keys()].map((name) => ({
        platformId: name,
        name,
        isGroup: false,
        speaker: { id: `${instance}:${name}`, name },
      }));
    },
  };
}

const PROBLEMS: Readonly<Record<400 | 415, string>> = {
  400: 'not JSON in UTF-8, or nested too deep',
  415: 'not application/json or text/plain, in UTF-8, as it is',
};

function answerTo(acceptance: Acceptance): WebAnswer {
  const { status } = acceptance;
  switch (status) {
    case 'stored':
      return { status: 202, json: { status, id: acceptance.messageIds[0], ids: acceptance.messageIds } };
    case 'held':
      return { status: 202, json: { status } };
    case 'duplicate':
    case 'answered':
    case 'dropped':
      return { status: 200, json: { status } };
    case 'refused':
      if (acceptance.code === 'NC_MESSAGE_TOO_LARGE') return { status: 413, json: { error: acceptance.sentence } };
      if (acceptance.code === 'NC_MESSAGE_EMPTY') return { status: 400, json: { error: acceptance.sentence } };
      // Whatever is wrong here is not the sender's: it tries again.
      return { status: 503, json: { error: 'not now' }, retryAfterS: 30 };
  }
}
