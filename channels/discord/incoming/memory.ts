/** Of messages that were taken lately: what comes a second time, whose they were, and whether only bots speak. */
export interface Memory {
  has(messageId: string): boolean;
  /** Its sender, unless it is a bot. */
  add(messageId: string, sender: string | undefined): void;
  senderOf(messageId: string): string | undefined;
  /** The same edit comes again when Discord adds a preview. */
  isOldEdit(messageId: string, editedAt: string): boolean;
  /** Whether a bot has spoken too often since somebody else did; counts this one. */
  isLoop(channelId: string, isBot: boolean): boolean;
}

const MOST = 2_000;
const BOTS_IN_A_ROW = 5;

export function createMemory(): Memory {
  const senders = new Map<string, string | undefined>();
  const edits = new Map<string, string>();
  const bots = new Map<string, number>();
  return {
    has: (id) => senders.has(id),
    add: (id, sender) => keep(senders, id, sender),
    senderOf: (id) => senders.get(id),
    isOldEdit(id, editedAt) {
      if (edits.get(id) === editedAt) return true;
      keep(edits, id, editedAt);
      return false;
    },
    isLoop(channelId, isBot) {
      const count = isBot ? (bots.get(channelId) ?? 0) + 1 : 0;
      keep(bots, channelId, count);
      return count > BOTS_IN_A_ROW;
    },
  };
}

function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST && oldest !== undefined) map.delete(oldest);
}
