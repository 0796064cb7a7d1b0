import { once } from 'node:events';
import { z } from 'zod';
import { WebSocket } from '../../../channels/slack/testing/sockets.ts';
import type { FarEnd, Fault, Post, Shown } from '../../channels/contract.ts';
import { until } from '../../support/until.ts';
import { shownOf } from './checks.ts';
import { type SlackServer, startSlackServer } from './server.ts';
import { APP_TOKEN, BOT, BOT_TOKEN, GROUP, type SlackMessage } from './state.ts';

/** The scripted Slack in the contract suite's hands. */

const SENDS = /^(chat\.(postMessage|update)|files\.completeUploadExternal)$/;

/** `send`: how events come; over the socket unless something else is said. */
export async function slackFarEnd(
  send?: (server: SlackServer, payload: object) => Promise<void>,
): Promise<FarEnd & { server: SlackServer }> {
  const server = await startSlackServer();
  const { state, sockets } = server;
  const sent = new Map<string, object>();
  const ann = state.person('ann');
  const dm = state.dmOf(ann);
  const thread = `${Math.floor(Date.now() / 1000) - 3600}.000100`;
  state.messages.push({ ts: thread, channel: GROUP, user: ann, text: 'the first of a thread' });

  async function bring(payload: object): Promise<void> {
    if (send) await send(server, payload);
    else sockets.send('actions' in payload ? 'interactive' : 'events_api', payload);
  }

  async function post({ chat, thread: in_, sender, senderName, text, mention, file, answers }: Post): Promise<string> {
    const user = state.person(sender);
    if (senderName !== undefined) state.users.set(user, { name: senderName, isBot: false });
    const said = mention && chat === GROUP ? `<@${BOT.id}> ${text}` : text;
    const thread_ts = in_ ?? answers;
    const files = file ? { subtype: 'file_share', files: [server.file(Buffer.from(file.content), file.name)] } : {};
    const ts = state.nextTs();
    const message = { ts, channel: chat, user, text: said, ...(thread_ts && { thread_ts }), ...files };
    const payload = server.said(message);
    sent.set(ts, payload);
    await bring(payload);
    return ts;
  }

  function messageOf(ts: string): SlackMessage {
    const found = state.messages.find((one) => one.ts === ts);
    if (!found) throw new Error(`There is no message ${ts}.`);
    return found;
  }

  function fail(fault: Fault): boolean {
    const push = (what: (typeof server.faults)[number]['fault']) => server.faults.push({ method: SENDS, fault: what });
    if (fault.kind === 'rate-limit') push({ kind: 'rate-limit', seconds: Math.ceil(fault.retryAfterMs / 1000) });
    else if (fault.kind === 'server-error') push({ kind: 'status', status: 502 });
    else if (fault.kind === 'forbidden') push({ kind: 'refuse', error: 'restricted_action' });
    else push({ kind: 'taken' });
    return true;
  }

  function again(ts: string): object {
    const payload = sent.get(ts);
    if (!payload) throw new Error(`There was no message ${ts}.`);
    return payload;
  }

  return {
    server,
    chats: { dm, group: GROUP, thread },
    settings: server.settings,
    refused: { ...server.settings, BOT_TOKEN: `${BOT_TOKEN}-revoked` },
    ...(!send && { ready: () => until(() => sockets.sockets.length > 0) }),
    post,
    repeat: (id) => bring(again(id)),
    // A mention comes as two events.
    async again(id) {
      await bring(server.event({ ...messageOf(id), type: 'app_mention', channel_type: 'channel' }));
    },
    async unreadable() {
      await bring({ type: 'event_callback', event: { type: 'message', channel: { no: 'id' }, ts: 7, files: 'none' } });
      if (!send) sockets.raw('no JSON');
    },
    async edit(id, text) {
      const message = messageOf(id);
      const previous_message = { ...message };
      Object.assign(message, { text, edited: { user: message.user, ts: state.nextTs() } });
      const { channel } = message;
      await bring(
        server.event({
          ...{ type: 'message', subtype: 'message_changed', hidden: true, channel, channel_type: 'im' },
          ...{ message: { type: 'message', ...message, channel: undefined }, previous_message, ts: state.nextTs() },
        }),
      );
    },
    async remove(id) {
      const previous_message = messageOf(id);
      const { channel } = previous_message;
      state.messages.splice(state.messages.indexOf(previous_message), 1);
      await bring(
        server.event({
          ...{ type: 'message', subtype: 'message_deleted', hidden: true, channel, channel_type: 'im' },
          ...{ deleted_ts: id, previous_message, ts: state.nextTs() },
        }),
      );
    },
    async react(id, emoji) {
      const reaction = emoji === '👍' ? '+1' : 'tada';
      const item = { type: 'message', channel: messageOf(id).channel, ts: id };
      await bring(server.event({ type: 'reaction_added', user: ann, reaction, item, item_user: ann }));
    },
    async bot(chat, text) {
      const bot = { user: 'UOTHERBOT', bot_id: 'BOTHER', subtype: 'bot_message' };
      await bring(server.said({ channel: chat, text, ...bot }));
    },
    async echo(chat, text) {
      await bring(
        server.event({ type: 'message', channel: chat, user: BOT.id, bot_id: BOT.botId, text, ts: state.nextTs() }),
      );
    },
    echoFirst() {
      state.onPut = (message) => {
        state.onPut = () => {};
        void bring(server.event({ type: 'message', ...message }));
      };
    },
    async press(chat, label, sender) {
      const isIt = (one: SlackMessage) => buttonsOf(one).some((button) => button.text.text === label);
      const held = state.messages.findLast((one) => one.channel === chat && isIt(one));
      const button = held && buttonsOf(held).find((one) => one.text.text === label);
      if (!held || !button) throw new Error(`There is no button ${label} in ${chat}.`);
      const user = state.person(sender);
      await bring({
        ...{ type: 'block_actions', user: { id: user, username: sender, name: sender, team_id: 'T0001' } },
        ...{ api_app_id: 'A111', trigger_id: `${state.nextTs()}.t`, team: { id: 'T0001' } },
        container: { type: 'message', message_ts: held.ts, channel_id: chat, is_ephemeral: false },
        channel: { id: chat, name: 'directmessage' },
        message: { type: 'message', ...held },
        response_url: 'https://hooks.slack.com/actions/T0001/1/x',
        actions: [{ ...button, block_id: 'b', action_ts: state.nextTs() }],
      });
    },
    shown: () => state.messages.filter(({ bot_id }) => bot_id === BOT.botId).map(shown),
    fail,
    garbage: () => void server.faults.push({ method: SENDS, fault: { kind: 'garbage' } }),
    notified: () => state.notified,
    ...(!send && { drop: async () => sockets.drop() }),
    ...(!send && { away: (is: boolean) => server.away(is), rival: () => rivalOf(server) }),
    revoke() {
      server.tokens.bot = `${BOT_TOKEN}-new`;
    },
    close: () => server.close(),
  };
}

/** Another program with the same app token. Slack tells of it with the next hello. */
async function rivalOf(server: SlackServer): Promise<() => Promise<void>> {
  const response = await fetch(`${server.url}/apps.connections.open`, {
    method: 'POST',
    headers: { authorization: `Bearer ${APP_TOKEN}` },
  });
  const { url } = z.object({ url: z.string() }).parse(await response.json());
  server.sockets.disconnect('refresh_requested');
  const socket = new WebSocket(url);
  await once(socket, 'open');
  return async () => {
    socket.terminate();
    await once(socket, 'close');
  };
}

function buttonsOf({ blocks = [] }: SlackMessage) {
  return blocks.flatMap((one) => one.elements ?? []);
}

function shown(message: SlackMessage): Shown {
  const { channel, thread_ts: thread = null, text, blocks = [], files = [] } = message;
  const sections = blocks.flatMap((one) => one.text?.text ?? []);
  return {
    chat: channel,
    thread,
    text: shownOf(sections.length > 0 ? sections.join('\n') : text),
    buttons: buttonsOf(message).map((button) => button.text.text),
    files: files.map(({ name, size }) => ({ name, size })),
  };
}
