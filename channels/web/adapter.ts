import { MAX_ATTACHMENT_BYTES, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import type { ChannelAdapter, ChannelHost } from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { errorText } from '../../src/errors.ts';
import { type Conversation, createConversation } from './conversation.ts';
import { originsOf } from './server/guard.ts';
import { createHub } from './server/hub.ts';
import { close, listen, portOf } from './server/listen.ts';
import { createRoutes } from './server/routes.ts';
import type { Settings } from './settings.ts';
import { openStore, writeFact } from './store/database.ts';
import { cookieName, ensureUser } from './store/logins.ts';

const AWAY = { status: 'failed', retryable: true, offline: true, error: 'The page is not served.' } as const;

export function createWeb({ instance, folder, log }: ChannelContext, settings: Settings): ChannelAdapter {
  /** While the page is served. */
  let open: { conversation: Conversation; end(): Promise<void> } | undefined;

  async function serve(host: ChannelHost) {
    const db = openStore(folder);
    const hub = createHub();
    try {
      ensureUser(db, 'owner', Date.now());
      const conversation = createConversation(db, { folder, channelType: instance, hub, host });
      conversation.files.sweep(Date.now());
      let origins: ReadonlySet<string> = new Set();
      const { bodyMs } = settings;
      const parts = { db, conversation, hub, origins: () => origins, cookie: cookieName(db) };
      const server = await listen(settings.port, createRoutes({ ...parts, ...(bodyMs && { bodyMs }) }), log);
      const port = portOf(server);
      origins = originsOf(port, settings.origin);
      const origin = settings.origin ?? `http://127.0.0.1:${port}`;
      writeFact(db, 'origin', origin);
      log.info('web page is served', { origin });
      const end = async () => {
        hub.close();
        await close(server);
        db.close();
      };
      return { conversation, end };
    } catch (error) {
      hub.close();
      db.close();
      throw error;
    }
  }

  return {
    channelType: instance,
    capabilities: {
      threads: false,
      maxTextLength: MAX_TEXT_BYTES,
      textUnit: 'bytes',
      buttons: true,
      edits: true,
      idempotencyKey: true,
      afterDowntime: 'redelivers',
      maxFileBytes: MAX_ATTACHMENT_BYTES,
    },
    async start(host) {
      open = await serve(host);
      // A page that is closed for good sends nothing again.
      void open.conversation.resume().catch((error: unknown) => log.warn('messages wait for their page', { error }));
    },
    async stop() {
      const ending = open;
      open = undefined;
      await ending?.end();
    },
    async deliver(message) {
      if (!open) return AWAY;
      // It may be stopped in the middle.
      return open.conversation
        .deliver(message)
        .catch((error: unknown) => ({ status: 'failed', retryable: true, error: errorText(error) }));
    },
    typing: (platformId, _thread, on) => open?.conversation.typing(platformId, on),
    settled(platformId, id, outcome) {
      try {
        open?.conversation.settled(platformId, id, outcome);
      } catch (error) {
        // What was said stands there; only a mark is missing.
        log.warn('the page was not told how a message ended', { chat: platformId, platformMessageId: id, error });
      }
    },
    isGroup: () => false,
    isChatId: () => false,
    async listChats() {
      const chats = open?.conversation.chats.list() ?? [];
      return chats.map(({ id, user, name }) => ({
        platformId: id,
        name: user === 'owner' ? name : `${name} (${user})`,
        isGroup: false,
        speaker: { id: `${instance}:${user}`, name: user },
      }));
    },
    openDm: async (handle) => open?.conversation.chats.get(handle)?.id,
  };
}
