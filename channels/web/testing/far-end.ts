import { randomUUID } from 'node:crypto';
import type { FarEnd, Shown } from '../../../test/channels/contract.ts';
import { createLoginLink } from '../index.ts';
import { type Client, logIn } from './client.ts';

/** People at their pages: what isn't taken is sent again, in order, as the page's outbox does it. */

interface Waiting {
  sender: string;
  chat: string;
  id: string;
  text: string;
  file: { name: string; content: Uint8Array } | undefined;
}

const AGAIN_MS = 20;

/** `folder`: the adapter's, once it is made. */
export function createFarEnd(folder: () => string): FarEnd {
  const clients = new Map<string, Client>();
  const sent = new Map<string, Waiting>();
  let last = Promise.resolve();
  let isOpen = true;

  async function clientOf(user: string): Promise<Client> {
    const known = clients.get(user);
    if (known) return known;
    const made = await logIn(createLoginLink({ folder: folder() }, user));
    clients.set(user, made);
    return made;
  }

  async function send({ sender, chat, id, text, file }: Waiting): Promise<boolean> {
    try {
      const client = await clientOf(sender);
      const files = file ? [await client.upload(file.name, file.content)] : [];
      return (await client.say(text, id, { chat, files })).status < 500;
    } catch {
      // The host is away; its page goes on trying.
      return false;
    }
  }

  function queue(message: Waiting): void {
    last = last.then(async () => {
      while (isOpen && !(await send(message))) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    });
  }

  return {
    chats: { dm: 'ann' },
    settings: { PORT: '0' },
    async ready() {
      // It may have another port now.
      clients.clear();
      await clientOf('ann');
    },
    async post({ chat, sender, text, id = randomUUID(), file }) {
      const message = { sender, chat, id, text, file };
      sent.set(id, message);
      queue(message);
      return id;
    },
    async repeat(id) {
      const message = sent.get(id);
      if (message) queue(message);
    },
    async press(chat, label, sender) {
      const client = await clientOf(sender);
      const lines = await client.history(chat);
      for (const { id, card } of lines.reverse()) {
        const button = card?.buttons.find((one) => one.label === label);
        if (!button) continue;
        await client.post(`/api/chats/${chat}/press`, { message: id, data: button.data });
        return;
      }
    },
    async shown(): Promise<Shown[]> {
      const lines = await (await clientOf('ann')).history('ann');
      const own = lines.filter(({ author }) => author === 'agent');
      return own.map(({ text, card, files }) => ({
        chat: 'ann',
        thread: null,
        text: card ? `${card.title}\n${card.body}` : text,
        ...(card && { buttons: card.buttons.map(({ label }) => label) }),
        files,
      }));
    },
    async close() {
      isOpen = false;
      await last;
    },
  };
}
