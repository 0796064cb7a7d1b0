import { randomUUID } from 'node:crypto';
import { createWebDoors } from '../../channels/web-server/index.ts';
import { plugin } from '../../channels/webhook/index.ts';
import type { FarEnd } from './contract.ts';
import { channelContract } from './suite.ts';
import { type SentEvent, startProgram } from './webhook-far-end.ts';

/** A program that sends one event after the other, each again until it was taken. */
async function farEnd(): Promise<FarEnd> {
  const program = await startProgram();
  const sent = new Map<string, SentEvent>();
  let isOpen = true;
  let last = Promise.resolve();

  async function insist(event: SentEvent): Promise<void> {
    while (isOpen) {
      const response = await program.send(event).catch(() => undefined);
      if (response && response.status < 300) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  function queue(event: SentEvent): void {
    last = last.then(() => insist(event));
  }

  return {
    chats: { dm: 'events' },
    settings: { ...program.settings, ...program.env },
    refused: { ...program.settings, ...program.env, SECRET: 'not-long-enough' },
    async post({ text, id = randomUUID() }) {
      const event = { id, body: text };
      sent.set(id, event);
      queue(event);
      return id;
    },
    async repeat(id) {
      const event = sent.get(id);
      if (event) queue(event);
    },
    shown: () => program.answers.map(({ source, text }) => ({ chat: source, thread: null, text })),
    fail({ kind }) {
      program.fail(kind === 'rate-limit' ? 429 : kind === 'server-error' ? 500 : kind === 'forbidden' ? 403 : 'taken');
      return true;
    },
    async close() {
      isOpen = false;
      await last;
      await program[Symbol.asyncDispose]();
    },
  };
}

channelContract({
  name: 'webhook',
  farEnd,
  create(context) {
    const doors = createWebDoors({ env: () => context.settings, log: context.log });
    return plugin.create({ ...context, web: doors.of(context.instance) });
  },
});
