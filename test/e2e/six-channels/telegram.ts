import { type ServerFault, startTelegramServer } from '../../fakes/telegram/server.ts';
import type { Lane, Place } from './lane.ts';

const ANN = { id: 100, is_bot: false, first_name: 'Ann' };
const REFUSALS: readonly [ServerFault, ServerFault] = [
  { kind: 'refuse', code: 429, description: 'Too Many Requests: retry later', parameters: { retry_after: 1 } },
  { kind: 'refuse', code: 500, description: 'Internal Server Error' },
];
const SENDS = /^send(?!ChatAction)/;

/** A chat alone, and groups with topics. Telegram takes a message a second in a chat: there are many of them. */
export async function telegramLane(): Promise<Lane> {
  const server = await startTelegramServer();
  const updates = new Map<string, number>();
  const places: Place[] = [
    { chat: '100', thread: null },
    ...[1, 2, 3, 4, 5, 6].flatMap((group) => ['7', '8'].map((thread) => ({ chat: `-100${group}`, thread }))),
  ];
  return {
    account: { instance: 'telegram', channel: 'telegram', source: null, settings: server.settings },
    places,
    hasKey: false,
    async send({ chat, thread }, text) {
      const id = Number(chat);
      const message = server.message({
        chat: id > 0 ? { id, type: 'private', first_name: 'Ann' } : { id, type: 'supergroup', title: chat },
        from: ANN,
        ...(thread !== null && { message_thread_id: Number(thread), is_topic_message: true }),
        text,
      });
      updates.set(`${chat} ${message}`, server.waiting().at(-1)?.update_id ?? 0);
      return String(message);
    },
    repeat: ({ chat }, id) => server.again(updates.get(`${chat} ${id}`) ?? 0),
    disturb(random, mayLose) {
      const isArmed = server.faults.some(({ fault }) => fault.kind === 'taken');
      if (!mayLose || isArmed) server.faults.push({ method: SENDS, fault: random.pick(REFUSALS) });
      else if (random.chance(0.4)) server.drop();
      else server.faults.push({ method: SENDS, fault: random.pick([...REFUSALS, { kind: 'taken' }]) });
    },
    said: () =>
      server.sent.map(({ chat, thread, text }) => ({
        chat: String(chat),
        thread: thread === null ? null : String(thread),
        text,
      })),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
