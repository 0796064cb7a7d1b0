import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChannelAdapter, ChannelHost, DeliveryResult, OutboundMessage } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { plainAddress } from './mail/address.ts';
import { createMailbox } from './mailbox.ts';
import { compose, letterOf } from './outgoing.ts';
import { ownId } from './own-id.ts';
import type { EmailSettings } from './settings.ts';
import { createSleep } from './sleep.ts';
import { checkSmtp, isAuth, sendMail } from './smtp.ts';
import { createTaking } from './taking.ts';
import { openThreads, type Threads } from './threads.ts';

const HOUR_MS = 3_600_000;
/** Of all files of one mail: providers take 25 MB of what base64 makes a third larger. */
const MAX_FILES_BYTES = 18_000_000;
const LONGEST_BACKOFF_MS = 5 * 60_000;

export function createEmailAdapter(context: ChannelContext, settings: EmailSettings): ChannelAdapter {
  const { instance, log } = context;
  const folder = join(context.folder, 'incoming');
  const sleep = createSleep();
  let host: ChannelHost | undefined;
  let threads: Threads | undefined;
  let mailbox: ReturnType<typeof createMailbox> | undefined;
  /** Why mail can't be sent, while it can't. */
  let mute: { detail: string; refused: boolean } | undefined;
  let listening = false;

  /** A password that is refused shows at once, not with the first answer. */
  async function checkOnce(): Promise<void> {
    try {
      await checkSmtp(settings);
    } catch (error) {
      mute = muteBecause(isAuth(error), errorText(error));
      void listen();
    }
  }

  /** What waits is sent as soon as the server takes mail again. */
  async function listen(): Promise<void> {
    if (listening) return;
    listening = true;
    for (let tries = 0; mute !== undefined; tries += 1) {
      await sleep.for(Math.min(LONGEST_BACKOFF_MS, 1_000 * 2 ** Math.min(tries, 10)));
      if (!host) break;
      try {
        await checkSmtp(settings);
        mute = undefined;
      } catch (error) {
        mute = muteBecause(isAuth(error), errorText(error));
      }
    }
    listening = false;
    host?.available(instance);
  }

  function muteBecause(refused: boolean, error: string) {
    const { smtp, user } = settings;
    const detail = refused
      ? `${smtp.host} doesn't take the password for ${user}.`
      : `${smtp.host} can't be reached: ${error}`;
    return { detail, refused };
  }

  async function deliver(message: OutboundMessage): Promise<DeliveryResult> {
    const known = threads;
    if (!known) return { status: 'failed', retryable: true, offline: true, error: 'The channel is stopped.' };
    // Nobody wants a mail for each step on the way.
    if (message.progress) return { status: 'sent' };
    const to = plainAddress(message.platformId);
    if (to === undefined || to !== message.platformId) return never(`${message.platformId} is no mail address.`);
    if (settings.own.has(to)) return never('That is the address of the assistant itself.');
    const size = message.files.reduce((sum, file) => sum + file.size, 0);
    if (size > MAX_FILES_BYTES) return never('The files are larger than 18 MB together, which mail servers refuse.');
    const { count, first } = known.sentSince(to, Date.now() - HOUR_MS);
    if (count >= settings.repliesPerHour) {
      const retryAfterMs = Math.max(1_000, first + HOUR_MS - Date.now());
      return {
        status: 'failed',
        retryable: true,
        retryAfterMs,
        error: `More than ${count} mails in an hour to ${to}.`,
      };
    }
    const letter = letterOf(message, to, ownId(message.id, settings.address), known);
    const { away, ...result } = await sendMail(settings, to, compose(letter, message, settings).createReadStream());
    if (result.status === 'failed') {
      if (away) {
        mute = muteBecause(away === 'refused', result.error);
        void listen();
      }
      return result;
    }
    known.noteSent(to, letter.messageId, letter.root, letter.subject, Date.now());
    return result.status === 'sent' ? { ...result, platformMessageId: letter.messageId } : result;
  }

  return {
    channelType: instance,
    capabilities: {
      threads: true,
      maxTextLength: 200_000,
      buttons: false,
      edits: false,
      live: false,
      idempotencyKey: false,
      afterDowntime: 'backfill',
      maxFileBytes: MAX_FILES_BYTES,
      reactions: false,
    },
    async start(channelHost) {
      host = channelHost;
      // What was being read when the last process ended comes again.
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const opened = openThreads(join(context.folder, 'threads.db'), Date.now());
      threads = opened;
      mailbox = createMailbox({
        settings,
        log,
        recall: context.recall,
        remember: context.remember,
        take: createTaking({ channelType: instance, settings, threads: opened, folder, host: () => host, log }),
        onUp: () => host?.available(instance),
      });
      await Promise.all([mailbox.start(), checkOnce()]);
    },
    async stop() {
      host = undefined;
      sleep.wake();
      await mailbox?.stop();
      threads?.close();
      threads = undefined;
    },
    deliver,
    typing() {},
    health() {
      const health = mailbox?.health() ?? { state: 'connecting' };
      if (health.state !== 'connected' || mute === undefined) return health;
      // It hears all the same: a server that can't be reached is asked again by ourselves.
      return { state: mute.refused ? 'failed' : 'connected', detail: mute.detail };
    },
    isGroup: () => false,
    isChatId: (platformId) => plainAddress(platformId) === platformId,
    async listChats() {
      return (threads?.chats() ?? []).map(({ chat, name }) => ({
        platformId: chat,
        name,
        isGroup: false,
        speaker: { id: `email:${chat}`, name },
      }));
    },
    async openDm(handle) {
      return plainAddress(handle);
    },
  };
}

function never(error: string): DeliveryResult {
  return { status: 'failed', retryable: false, error };
}
