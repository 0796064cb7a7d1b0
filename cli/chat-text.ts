import type { ServerFrame } from '../src/channels/terminal/frames.ts';
import { printable } from '../src/log/printable.ts';
import type { Trouble } from './chat-connection.ts';
import type { ClientContext } from './definition.ts';

export type Message = Extract<ServerFrame, { type: 'message' }>;
export type End = Extract<ServerFrame, { type: 'settled' }>['outcome'];

export const ENDS: Readonly<Record<End, { status: number; note?: string }>> = {
  reply: { status: 0 },
  silence: { status: 0, note: 'The agent chose to say nothing.' },
  notice: { status: 1 },
  stopped: { status: 1, note: 'Stopped.' },
};

/** What is said of a host that can't be heard. Only a service starts it again by itself. */
export async function troubleText(context: ClientContext, trouble: Trouble): Promise<string> {
  if (trouble === 'silent') return 'The host runs but does not answer; waiting for it … (`ncl restart` may help.)';
  const { keptRunningBy } = await import('../setup/service/index.ts');
  const isKept = (await keptRunningBy(context).catch(() => undefined)) !== undefined;
  return `The host is away; waiting for it …${isKept ? '' : ' No service starts it again: run `ncl start`.'}`;
}

export function messageText({ text, files }: Message): string {
  return printable([text, ...files.map(({ path }) => `[file] ${path}`)].filter((part) => part !== '').join('\n'));
}
