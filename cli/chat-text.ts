import type { ServerFrame } from '../src/channels/terminal/frames.ts';
import { printable } from '../src/log/printable.ts';

export type Message = Extract<ServerFrame, { type: 'message' }>;
export type End = Extract<ServerFrame, { type: 'settled' }>['outcome'];

export const ENDS: Readonly<Record<End, { status: number; note?: string }>> = {
  reply: { status: 0 },
  silence: { status: 0, note: 'The agent chose to say nothing.' },
  notice: { status: 1 },
  stopped: { status: 1, note: 'Stopped.' },
};

export const AWAY = 'The host is away; waiting for it …';

export function messageText({ text, files }: Message): string {
  return printable([text, ...files.map(({ path }) => `[file] ${path}`)].filter((part) => part !== '').join('\n'));
}
