import type { FarEnd, Fault, Post } from '../../channels/contract.ts';
import { startTelegramServer, type TelegramServer, TOKEN } from './server.ts';

/** The scripted Bot API in the contract suite's hands. */

const GROUP = -1001;
const SENDS = /^(send(?!ChatAction)|edit)/;

export async function telegramFarEnd(): Promise<FarEnd & { server: TelegramServer }> {
  const server = await startTelegramServer();
  const byId = new Map<string, number>();
  const whole = new Map<string, object>();
  const people = new Map<string, number>();
  const personOf = (name: string) => {
    // In a private chat its number is its user's.
    const id = people.get(name) ?? 100 + people.size;
    people.set(name, id);
    return { id, is_bot: false, first_name: name };
  };

  async function post({ chat, thread, sender, senderName, text, mention, file, answers }: Post): Promise<string> {
    const id = Number(chat);
    const said = mention && id < 0 ? `@AndyTestBot ${text}` : text;
    const entities = said === text ? [] : [{ type: 'mention', offset: 0, length: '@AndyTestBot'.length }];
    const words = file
      ? {
          caption: said,
          caption_entities: entities,
          document: { ...server.file(Buffer.from(file.content)), file_name: file.name },
        }
      : { text: said, entities };
    const message = server.message({
      chat: id > 0 ? { id, type: 'private', first_name: sender } : { id, type: 'supergroup', title: 'A group' },
      from: { ...personOf(sender), ...(senderName !== undefined && { first_name: senderName }) },
      ...(thread !== undefined && { message_thread_id: Number(thread), is_topic_message: true }),
      ...(answers !== undefined && { reply_to_message: whole.get(answers) }),
      ...words,
    });
    const update = server.waiting().at(-1);
    byId.set(String(message), update?.update_id ?? 0);
    whole.set(String(message), update?.message ?? {});
    return String(message);
  }

  function fail(fault: Fault): boolean {
    const refuse = (code: number, description: string, parameters = {}) =>
      server.faults.push({ method: SENDS, fault: { kind: 'refuse', code, description, parameters } });
    if (fault.kind === 'rate-limit') {
      // Telegram counts in whole seconds.
      refuse(429, 'Too Many Requests: retry later', { retry_after: Math.ceil(fault.retryAfterMs / 1000) });
    } else if (fault.kind === 'server-error') refuse(500, 'Internal Server Error');
    else if (fault.kind === 'forbidden') refuse(403, 'Forbidden: bot was blocked by the user');
    else server.faults.push({ method: SENDS, fault: { kind: 'taken' } });
    return true;
  }

  return {
    server,
    chats: { dm: String(personOf('ann').id), group: String(GROUP), thread: '7' },
    settings: server.settings,
    refused: { ...server.settings, TOKEN: `${TOKEN}-revoked` },
    post,
    async repeat(id) {
      const update = byId.get(id);
      if (update !== undefined) server.again(update);
    },
    async again(id) {
      server.push({ message: whole.get(id) });
    },
    async unreadable() {
      server.push({ message: { message_id: 'not a number', chat: null } });
    },
    async edit(id, text) {
      server.push({ edited_message: { ...whole.get(id), text } });
    },
    async react(id, emoji) {
      const user = personOf('ann');
      const chat = { id: user.id, type: 'private', first_name: 'ann' };
      const reactions = { old_reaction: [], new_reaction: [{ type: 'emoji', emoji }] };
      server.push({ message_reaction: { chat, user, message_id: Number(id), date: 1, ...reactions } });
    },
    async bot(chat, text) {
      const from = { id: 777, is_bot: true, first_name: 'Other', username: 'OtherBot' };
      server.message({ chat: { id: Number(chat), type: 'supergroup', title: 'A group' }, from, text });
    },
    garbage() {
      server.faults.push({ method: SENDS, fault: { kind: 'garbage' } });
    },
    away: (is) => server.away(is),
    revoke() {
      server.settings.TOKEN = `${TOKEN}-new`;
      server.drop();
    },
    async rival() {
      let isOn = true;
      const run = (async () => {
        while (isOn) {
          await fetch(`${server.url}/bot${TOKEN}/getUpdates`, { method: 'POST', body: '{"timeout":1}' }).catch(
            () => {},
          );
        }
      })();
      return async () => {
        isOn = false;
        await run;
      };
    },
    async press(chat, label, sender) {
      const held = server.sent.findLast(
        (one) => one.chat === Number(chat) && one.buttons.some(({ text }) => text === label),
      );
      const data = held?.buttons.find(({ text }) => text === label)?.callback_data;
      if (!held || data === undefined) throw new Error(`There is no button ${label} in ${chat}.`);
      server.push({
        callback_query: {
          id: `q${server.calls.length}`,
          from: personOf(sender),
          message: {
            message_id: held.id,
            date: 1,
            chat: { id: held.chat, type: held.chat > 0 ? 'private' : 'supergroup' },
          },
          data,
        },
      });
    },
    shown: () =>
      server.sent.map(({ chat, thread, text, buttons, files }) => ({
        chat: String(chat),
        thread: thread === null ? null : String(thread),
        text,
        buttons: buttons.map((button) => button.text),
        files: files.map(({ name, size }) => ({ name, size })),
      })),
    fail,
    drop: async () => server.drop(),
    async echo(chat, text) {
      server.message({
        chat: { id: Number(chat), type: 'supergroup', title: 'A group' },
        from: { id: 4242, is_bot: true, first_name: 'Andy' },
        text,
      });
    },
    close: () => server.close(),
  };
}
