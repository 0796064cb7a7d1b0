import type { FarEnd, Fault, Post } from '../../channels/contract.ts';
import { until } from '../../support/until.ts';
import { type DiscordServer, startDiscordServer } from './server.ts';
import { BOT, GENERAL, THREAD, TOKEN } from './world.ts';

/** The scripted Discord in the contract suite's hands. */

const SENDS = /^(POST|PATCH) \/channels\/\d+\/messages/;

export async function discordFarEnd(): Promise<FarEnd & { server: DiscordServer }> {
  const server = await startDiscordServer();
  const { world, gateway } = server;
  let entered = 0;
  const dm = world.direct(world.person('ann')).id;
  const find = (id: string) => world.messages.find((one) => one.id === id);
  const channelOf = (chat: string, thread?: string) => thread ?? chat;
  const placeOf = (id: string) => (id === THREAD ? { chat: GENERAL, thread: THREAD } : { chat: id, thread: null });

  async function post({ chat, thread, sender, senderName, text, mention, file, answers }: Post): Promise<string> {
    const author = { ...world.person(sender), ...(senderName !== undefined && { global_name: senderName }) };
    const content = mention ? `<@${BOT.id}> ${text}` : text;
    const attachments = file ? [server.keep(file.name, Buffer.from(file.content))] : [];
    const asked = answers === undefined ? undefined : find(answers);
    const answer = asked && { type: 19, referenced_message: asked, message_reference: { message_id: asked.id } };
    return server.say({ channel_id: channelOf(chat, thread), author, content, attachments, ...answer }).id;
  }

  function fail(fault: Fault): boolean {
    const refuse = (status: number, body: object, headers = {}) =>
      server.faults.push({ at: SENDS, fault: { kind: 'refuse', status, body, headers } });
    if (fault.kind === 'rate-limit') {
      const body = { message: 'You are being rate limited.', retry_after: fault.retryAfterMs / 1000, global: false };
      refuse(429, body, { 'x-ratelimit-scope': 'user' });
    } else if (fault.kind === 'server-error') refuse(500, { message: '500: Internal Server Error', code: 0 });
    else if (fault.kind === 'forbidden') refuse(403, { message: 'Missing Permissions', code: 50_013 });
    else server.faults.push({ at: SENDS, fault: { kind: 'taken' } });
    return true;
  }

  return {
    server,
    chats: { dm, group: GENERAL, thread: THREAD },
    settings: server.settings,
    refused: { ...server.settings, TOKEN: `${TOKEN}-revoked` },
    async ready() {
      const entries = () => gateway.state.identified + gateway.state.resumed;
      await until(() => entries() > entered);
      entered = entries();
    },
    post,
    async repeat(id) {
      if (find(id)) gateway.dispatch('MESSAGE_CREATE', { ...find(id) });
    },
    async again(id) {
      if (find(id)) gateway.dispatch('MESSAGE_CREATE', { ...find(id), mention_everyone: false });
    },
    async unreadable() {
      gateway.dispatch('MESSAGE_CREATE', { id: null, channel_id: dm, author: 'nobody' });
    },
    async edit(id, text) {
      const message = find(id);
      if (!message) return;
      Object.assign(message, { content: text, edited_timestamp: new Date().toISOString() });
      gateway.dispatch('MESSAGE_UPDATE', message);
      // And once more, with a preview.
      gateway.dispatch('MESSAGE_UPDATE', { ...message, embeds: [{ type: 'link', title: 'A page' }] });
    },
    async remove(id) {
      const { channel_id, guild_id } = find(id) ?? {};
      gateway.dispatch('MESSAGE_DELETE', { id, channel_id, guild_id });
    },
    async react(id, emoji) {
      const { channel_id, guild_id } = find(id) ?? {};
      const user_id = world.person('ann').id;
      const reaction = { user_id, channel_id, guild_id, message_id: id, emoji: { id: null, name: emoji } };
      gateway.dispatch('MESSAGE_REACTION_ADD', reaction);
    },
    async bot(chat, text) {
      server.say({ channel_id: chat, author: { ...world.person('OtherBot'), bot: true }, content: text });
    },
    garbage() {
      server.faults.push({ at: SENDS, fault: { kind: 'garbage', status: 200 } });
    },
    notified: () => server.rest.pinged,
    async forget() {
      const before = gateway.state.identified;
      gateway.forget();
      gateway.drop();
      // A direct chat that never was before can't be asked for: what is said in it in between is lost.
      await until(() => gateway.state.identified > before);
    },
    away: (is) => server.away(is),
    revoke: () => server.revoke(),
    // What is sent comes back before it is answered, always.
    echoFirst() {},
    async press(chat, label, sender) {
      const buttonOf = (one: (typeof world.messages)[number]) =>
        one.components.flatMap(({ components }) => components).find((button) => button.label === label);
      const message = world.of(chat).findLast((one) => buttonOf(one));
      const button = message && buttonOf(message);
      if (!message || !button) throw new Error(`There is no button ${label} in ${chat}.`);
      server.press(message, button.custom_id, world.person(sender));
    },
    shown: () =>
      server.said().map(({ channel_id, content, components, attachments }) => ({
        ...placeOf(channel_id),
        text: content,
        buttons: components.flatMap((row) => row.components).map(({ label }) => label),
        files: attachments.map(({ filename: name, size }) => ({ name, size })),
      })),
    fail,
    drop: async () => gateway.drop(),
    async echo(chat, text) {
      server.say({ channel_id: chat, author: BOT, content: text });
    },
    close: () => server.close(),
  };
}
