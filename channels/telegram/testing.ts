import type { OutboundMessage } from '../../src/channels/adapter.ts';
import * as account from '../../test/support/channel-account.ts';
import type { Timing } from './poller.ts';

/** What the tests of this package share: an account of Telegram's, quick to try again. */

export const QUICK: Timing = { pollMs: 20_000, deafMs: 60_000, pauseMs: 20, longestPauseMs: 100, albumMs: 300 };

export { type TestContext, type TestHost, testHost } from '../../test/support/channel-account.ts';

export const testContext = (settings: Readonly<Record<string, string>>, instance = 'telegram') =>
  account.testContext(settings, instance);

let count = 0;

export function outbound(fields: Partial<OutboundMessage> = {}): OutboundMessage {
  count += 1;
  return {
    id: `out-${count}`,
    platformId: '100',
    threadId: null,
    text: 'hello',
    progress: false,
    files: [],
    ...fields,
  };
}
