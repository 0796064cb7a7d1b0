import type { ChannelHost } from '../../src/channels/adapter.ts';

/**
 * A private chat is one conversation to the host, but Slack has threads there too: an answer goes to where its question was.
 * After a restart it goes into the chat itself.
 */

const KEPT = 500;

export function createPrivateThreads() {
  const byPlatform = new Map<string, string>();
  const byHost = new Map<string, string>();

  function put(map: Map<string, string>, key: string, thread: string): void {
    map.set(key, thread);
    const [oldest] = map.keys();
    if (map.size > KEPT && oldest !== undefined) map.delete(oldest);
  }

  return {
    note: (platformId: string, ts: string, thread: string) => put(byPlatform, `${platformId} ${ts}`, thread),
    /** Of the message with this id of the host's. */
    of: (id: string | undefined) => (id === undefined ? undefined : byHost.get(id)),
    noting(host: ChannelHost): ChannelHost {
      return {
        ...host,
        async accept(event) {
          const acceptance = await host.accept(event);
          const thread = byPlatform.get(`${event.platformId} ${event.platformMessageId}`);
          if (acceptance.status === 'stored' && thread !== undefined) {
            for (const id of acceptance.messageIds) put(byHost, id, thread);
          }
          return acceptance;
        },
      };
    },
  };
}
