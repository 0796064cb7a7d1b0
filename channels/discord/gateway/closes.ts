import type { ChannelHealth } from '../../../src/channels/adapter.ts';
import { errorText } from '../../../src/errors.ts';
import { Lost } from '../../http/lost.ts';
import { Refusal } from '../rest/api.ts';

/** What an end of the connection means. Pure. */

/** The session can't be resumed after these. */
const FORGETS = new Set([1000, 1001, 4003, 4007, 4009]);

const FATAL: ReadonlyMap<number, string> = new Map([
  [
    4004,
    'Discord refuses the token. Make a new one with "Reset Token" on the page "Bot" of the developer portal, and give this account the new one by `ncl channels add`.',
  ],
  [4010, 'Discord wants another shard: this bot is in more servers than NanoClaw can serve.'],
  [4011, 'This bot is in more servers than one connection may serve (2,500).'],
  [4012, "Discord doesn't speak this version of its API any more: NanoClaw needs an update."],
  [4013, "Discord doesn't know what is asked for (intents): NanoClaw needs an update."],
  [
    4014,
    'Discord doesn\'t let the bot read. Switch on "Message Content Intent" on the page "Bot" of the developer portal (https://discord.com/developers/applications), and save; it goes on by itself within minutes.',
  ],
]);

export const TOKEN_REFUSED = FATAL.get(4004) ?? '';

export function fatalClose(code: number | undefined): ChannelHealth | undefined {
  const detail = code === undefined ? undefined : FATAL.get(code);
  return detail === undefined ? undefined : { state: 'failed', detail };
}

export function forgetsSession(code: number | undefined): boolean {
  return code !== undefined && FORGETS.has(code);
}

export function healthBy(error: unknown): ChannelHealth {
  if (error instanceof Lost) return { state: 'connecting', detail: `Discord can't be reached: ${error.message}` };
  if (!(error instanceof Refusal)) return { state: 'connecting', detail: errorText(error) };
  if (error.status === 401) return { state: 'failed', detail: TOKEN_REFUSED };
  return { state: 'connecting', detail: `Discord refuses for now: ${error.message}` };
}
