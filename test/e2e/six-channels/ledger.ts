import type { DatabaseSync } from 'node:sqlite';
import { leftOpen } from '../../faults/ledger.ts';
import type { Lane, Place, Said } from './lane.ts';

/** Compares what was written with what was said on each platform, and with what the host has noted. */

export interface Written {
  lane: Lane;
  place: Place;
  /** The platform's id. */
  id: string;
  /** Comes back in its answer, and in no other. */
  marker: string;
}

export interface Books {
  problems: string[];
  /** Answers that stand there a second time, marked as that. */
  repeats: number;
}

const MARK = '(possibly a repeat)';

export async function compare(db: DatabaseSync, written: readonly Written[]): Promise<Books> {
  const books: Books = { problems: leftOpen(db), repeats: 0 };
  for (const lane of new Set(written.map((one) => one.lane))) {
    const own = written.filter((one) => one.lane === lane);
    const said = await lane.said();
    for (const one of own) checkOne(db, one, said, books);
    const order = await lane.order?.();
    const asked = order ? own.toSorted((one, other) => order.indexOf(one.id) - order.indexOf(other.id)) : own;
    checkOrder(lane, asked, said, books);
  }
  return books;
}

function checkOne(db: DatabaseSync, { lane, place, id, marker }: Written, said: readonly Said[], books: Books): void {
  const { instance } = lane.account;
  const say = (problem: string) => books.problems.push(`${marker} in ${instance} ${placeText(place)}: ${problem}`);
  const rows = db
    .prepare(
      `SELECT id, status, outcome FROM messages
       WHERE direction = 'in' AND channel_type = ? AND platform_id = ? AND platform_message_id = ?`,
    )
    .all(instance, place.chat, id);
  const [row] = rows;
  if (!row || rows.length > 1) return void say(`it is there ${rows.length} times`);
  if (row.outcome !== 'reply') say(`its outcome is ${row.outcome} (${row.status})`);
  const replies = db
    .prepare(
      `SELECT d.status, d.unknowns, d.error FROM messages m JOIN deliveries d ON d.message_id = m.id, json_each(m.content, '$.answers') answered
       WHERE m.direction = 'out' AND answered.value = ?`,
    )
    .all(String(row.id));
  if (replies.length !== 1) say(`it has ${replies.length} replies`);
  for (const { status, error } of replies) if (status !== 'sent') say(`its reply is ${status}: ${error}`);
  const standing = said.filter(({ text }) => text.includes(marker));
  const marked = standing.filter(({ text }) => text.startsWith(MARK)).length;
  const plain = standing.length - marked;
  const isDoubted = replies.some(({ unknowns }) => Number(unknowns) > 0);
  if (standing.length === 0) say('nobody was answered');
  if (plain > 1 || marked > 1) say(`it was answered ${plain} times, and ${marked} times with a mark`);
  if (marked > 0 && (lane.hasKey || !isDoubted)) say('its answer is marked as a repeat, for no reason');
  if (plain > 0 && marked > 0) books.repeats += 1;
  for (const { chat, thread } of standing) {
    if (chat !== place.chat || thread !== place.thread) say(`its answer went to ${placeText({ chat, thread })}`);
  }
}

/** In each place the answers follow the questions. */
function checkOrder(lane: Lane, own: readonly Written[], said: readonly Said[], books: Books): void {
  const whole = said.map(({ text }) => text).join('\n');
  const at = new Map([...whole.matchAll(/\bm\d+e\b/g)].toReversed().map((match) => [match[0], match.index]));
  for (const place of lane.places) {
    const markers = own.filter((one) => one.place === place).map(({ marker }) => marker);
    const answered = markers.filter((marker) => at.has(marker));
    const sorted = answered.toSorted((one, other) => (at.get(one) ?? 0) - (at.get(other) ?? 0));
    if (answered.join() !== sorted.join())
      books.problems.push(`${lane.account.instance} ${placeText(place)}: answered as ${sorted.join()}`);
  }
}

function placeText({ chat, thread }: Place): string {
  return thread === null ? chat : `${chat}/${thread}`;
}
