import type { Message, Update } from './updates.ts';

/** An album comes as an update for each of its files. Pure. */

/** Updates that belong together: one, or the parts of an album. */
export interface Parcel {
  chatId: number | undefined;
  updates: readonly [Update, ...Update[]];
}

export function parcelsOf(updates: readonly Update[]): Parcel[] {
  const parcels: { chatId: number | undefined; updates: [Update, ...Update[]] }[] = [];
  const albums = new Map<string, [Update, ...Update[]]>();
  for (const update of updates) {
    const key = albumOf(update);
    const album = key === undefined ? undefined : albums.get(key);
    if (album) {
      album.push(update);
      continue;
    }
    const parcel = { chatId: chatOf(update), updates: [update] as [Update, ...Update[]] };
    parcels.push(parcel);
    if (key !== undefined) albums.set(key, parcel.updates);
  }
  return parcels;
}

export function hasAlbum(updates: readonly Update[]): boolean {
  return updates.some((update) => albumOf(update) !== undefined);
}

/** How many of them go before an album that their end may have cut; all, where it would be none. */
export function beforeCut(updates: readonly (Update | undefined)[]): number {
  const last = updates.at(-1);
  const cut = last && albumOf(last);
  const begins = cut === undefined ? 0 : updates.findIndex((update) => update && albumOf(update) === cut);
  return begins > 0 ? begins : updates.length;
}

function albumOf(update: Update): string | undefined {
  const message = messageOf(update);
  return message?.media_group_id === undefined ? undefined : `${message.chat.id} ${message.media_group_id}`;
}

export function messageOf(update: Update): Message | undefined {
  return update.message ?? update.channel_post;
}

function chatOf(update: Update): number | undefined {
  const message = messageOf(update) ?? update.edited_message ?? update.edited_channel_post;
  const other = update.callback_query?.message ?? update.message_reaction ?? update.my_chat_member;
  return (message ?? other)?.chat.id;
}
