import { randomUUID } from 'node:crypto';
import { startProgram } from '../../channels/webhook-far-end.ts';
import type { Lane } from './lane.ts';

/** A program that sends one signed event after the other, each again until it was taken. */
export async function webhookLane(): Promise<Lane> {
  const program = await startProgram();
  const sent = new Map<string, string>();
  let isOpen = true;
  let last = Promise.resolve();

  async function insist(id: string, body: string): Promise<void> {
    while (isOpen) {
      const response = await program.send({ id, body }).catch(() => undefined);
      await response?.arrayBuffer();
      if (response && response.status < 300) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  function queue(id: string): void {
    last = last.then(() => insist(id, sent.get(id) ?? ''));
  }

  return {
    account: {
      instance: 'webhook',
      channel: 'webhook',
      source: null,
      settings: program.settings,
      env: program.env,
    },
    places: [{ chat: 'events', thread: null }],
    hasKey: true,
    async send(_place, text) {
      const id = randomUUID();
      sent.set(id, text);
      queue(id);
      return id;
    },
    repeat: (_place, id) => queue(id),
    disturb(random) {
      if (!program.isArmed()) program.fail(random.pick([429, 500, 'taken']));
    },
    said: () => program.answers.map(({ source, text }) => ({ chat: source, thread: null, text })),
    async [Symbol.asyncDispose]() {
      isOpen = false;
      await last;
      await program[Symbol.asyncDispose]();
    },
  };
}
