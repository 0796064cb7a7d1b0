import assert from 'node:assert/strict';
import type { TelegramServer } from '../../test/fakes/telegram/server.ts';
import { until } from '../../test/support/until.ts';

/** What the owner does in Telegram once they are paired, and a stranger in a group. */

export const ANN = { id: 100, is_bot: false, first_name: 'Ann' };
export const DM = { id: 100, type: 'private', first_name: 'Ann' };
const BOB = { id: 101, is_bot: false, first_name: 'Bob' };
const FAMILY = { id: -1001, type: 'supergroup', title: 'Family' };

const ANSWER_MS = 60_000;

/** A welcome stands there; then a file each way, and a card whose button is pressed. */
export async function talk(server: TelegramServer): Promise<void> {
  const shows = (pattern: RegExp) => until(() => server.sent.some(({ text }) => pattern.test(text)), ANSWER_MS);
  const say = (text: string) => server.message({ chat: DM, from: ANN, text });
  await shows(/I am Andy/);
  server.message({
    chat: DM,
    from: ANN,
    document: { ...server.file(Buffer.from('a list')), file_name: 'list.txt' },
    caption: 'run cat /workspace/inbound/inbox/*/*list.txt',
  });
  await shows(/a list/);
  say('write note.txt: remember the milk');
  await shows(/I wrote note\.txt/);
  say('send me note.txt');
  const files = () => server.sent.flatMap((one) => one.files);
  await until(() => files().some(({ name }) => name === 'note.txt'), ANSWER_MS);
  assert.equal(files()[0]?.content.toString(), 'remember the milk\n');

  say('ask me Tea or coffee?: Tea, Coffee');
  const card = () => server.sent.find(({ buttons }) => buttons.some(({ text }) => text === 'Coffee'));
  await until(card, ANSWER_MS);
  press(server, card(), 'Coffee');
  await until(() => server.sent.some(({ text, id }) => /Coffee/.test(text) && id > (card()?.id ?? 0)), ANSWER_MS);
  await until(() => server.sent.every(({ buttons }) => buttons.length === 0), ANSWER_MS);

  const mention = { type: 'mention', offset: 0, length: '@AndyTestBot'.length };
  server.message({ chat: FAMILY, from: BOB, text: '@AndyTestBot run echo hi', entities: [mention] });
  const asked = () => server.sent.find(({ chat, buttons }) => chat === DM.id && buttons.length > 0);
  await until(asked, ANSWER_MS);
  press(server, asked(), asked()?.buttons[0]?.text ?? '');
  await until(() => server.sent.some(({ chat }) => chat === FAMILY.id), ANSWER_MS);
}

function press(server: TelegramServer, card: TelegramServer['sent'][number] | undefined, label: string): void {
  const data = card?.buttons.find(({ text }) => text === label)?.callback_data;
  assert.ok(card && data !== undefined);
  const message = { message_id: card.id, date: 1, chat: DM };
  server.push({ callback_query: { id: `q-${card.id}`, from: ANN, data, message } });
}
