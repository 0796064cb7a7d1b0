import type { Origin } from '@nanoclaw/protocol';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';

/** The sign that work goes on, bound to the chat that asked, for as long as one of its messages is open. */

const REFRESH_MS = 4_000;

export interface Typing {
  on(place: Place, messageId: string): void;
  off(messageId: string): void;
  /** Something was said there: platforms take the sign away with it, and the work may go on. */
  again(place: Origin): void;
  stop(): void;
}

export interface Place {
  channelType: string;
  platformId: string;
  threadId: string | null;
}

export function createTyping(adapter: (channelType: string) => ChannelAdapter | undefined): Typing {
  const places = new Map<string, { place: Place; open: Set<string>; timer: NodeJS.Timeout }>();
  const keys = new Map<string, string>();

  const show = ({ channelType, platformId, threadId }: Place, on: boolean) =>
    adapter(channelType)?.typing(platformId, threadId, on);

  return {
    on(place, messageId) {
      const key = keyOf(place.channelType, place.platformId, place.threadId);
      keys.set(messageId, key);
      const known = places.get(key);
      if (known) {
        known.open.add(messageId);
        return;
      }
      const timer = setInterval(() => show(place, true), REFRESH_MS);
      timer.unref();
      places.set(key, { place, open: new Set([messageId]), timer });
      show(place, true);
    },
    again({ channel_type, platform_id, thread_id }) {
      const known = places.get(keyOf(channel_type, platform_id, thread_id));
      if (known) show(known.place, true);
    },
    off(messageId) {
      const key = keys.get(messageId);
      if (key === undefined) return;
      keys.delete(messageId);
      const known = places.get(key);
      known?.open.delete(messageId);
      if (!known || known.open.size > 0) return;
      clearInterval(known.timer);
      places.delete(key);
      show(known.place, false);
    },
    stop() {
      for (const { timer } of places.values()) clearInterval(timer);
      places.clear();
      keys.clear();
    },
  };
}

function keyOf(...place: (string | null)[]): string {
  return JSON.stringify(place);
}
