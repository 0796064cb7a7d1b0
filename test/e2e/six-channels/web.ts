import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createLoginLink } from '../../../channels/web/index.ts';
import { type Client, logIn } from '../../../channels/web/testing/client.ts';
import { until } from '../../support/until.ts';
import type { Lane, Place } from './lane.ts';

const PEOPLE = ['ann', 'bob', 'carol', 'dora'];

/** People at their pages. Each message is a connection of its own; what a page missed is in its history. */
export async function webLane(): Promise<Lane> {
  const clients = new Map<string, Client>();
  const sent = new Map<string, string>();
  const places: Place[] = PEOPLE.map((chat) => ({ chat, thread: null }));
  const clientOf = (chat: string): Client => {
    const client = clients.get(chat);
    if (!client) throw new Error(`Nobody is called ${chat}.`);
    return client;
  };
  return {
    account: { instance: 'web', channel: 'web', source: null, settings: { PORT: '0' } },
    places,
    hasKey: true,
    async ready(home) {
      const folder = join(home, 'data/channels/web');
      for (const person of PEOPLE) {
        await until(async () => {
          const client = await logIn(createLoginLink({ folder }, person)).catch(() => undefined);
          if (client) clients.set(person, client);
          return client !== undefined;
        });
      }
    },
    async send({ chat }, text) {
      const id = randomUUID();
      sent.set(id, text);
      await clientOf(chat).say(text, id, { chat });
      return id;
    },
    async repeat({ chat }, id) {
      await clientOf(chat).say(sent.get(id) ?? '', id, { chat });
    },
    disturb() {},
    async said() {
      const all = await Promise.all(PEOPLE.map((chat) => whole(clientOf(chat), chat)));
      return all.flat();
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** All pages of a history. */
async function whole(client: Client, chat: string) {
  const lines = await client.everything(chat);
  return lines.filter(({ author }) => author === 'agent').map(({ text }) => ({ chat, thread: null, text }));
}
