import type { CardFrame, MessageFrame, ServerFrame } from '../channels/terminal/frames.ts';
import { printable } from '../src/log/printable.ts';
import type { Trouble } from './chat-connection.ts';
import type { ClientContext } from './definition.ts';

export type Said = MessageFrame | CardFrame;
type Edited = Extract<ServerFrame, { type: 'edited' }>;
export type End = Extract<ServerFrame, { type: 'settled' }>['outcome'] | 'held';

export const ENDS: Readonly<Record<End, { status: number; note?: string }>> = {
  reply: { status: 0 },
  silence: { status: 0, note: 'The agent chose to say nothing.' },
  notice: { status: 1 },
  stopped: { status: 1, note: 'Stopped.' },
  held: { status: 0, note: 'Your message is kept: somebody who may decide has been asked whether it may be answered.' },
};

/** What is said of a host that can't be heard. Only a service starts it again by itself. */
export async function troubleText(context: ClientContext, trouble: Trouble): Promise<string> {
  if (trouble === 'silent') return 'The host runs but does not answer; waiting for it … (`ncl restart` may help.)';
  const { keptRunningBy } = await import('../setup/service/index.ts');
  const isKept = (await keptRunningBy(context).catch(() => undefined)) !== undefined;
  return `The host is away; waiting for it …${isKept ? '' : ' No service starts it again: run `ncl start`.'}`;
}

/** `thread`: the one that is read; what is said in another bears its name. `how`: a card's option is chosen. */
export function saidText(said: Said, thread: string | undefined, how: string): string {
  const files = said.files.map(({ path }) => `[file] ${path}`);
  const lines = said.type === 'card' ? [...cardLines(said), how] : [said.text];
  return inThread(said.thread, thread, [...lines, ...files]);
}

/** Of a card that was shown, what is new. */
export function editedText({ text, buttons = [], thread }: Edited, read: string | undefined, card?: CardFrame): string {
  const known = card && ['', card.title, ...card.body.split('\n')];
  const fresh = known ? text.split('\n').filter((line) => !known.includes(line)) : [text];
  const about = card ? `[changed] ${card.title}:` : '[changed]';
  return inThread(thread, read, [`${about} ${fresh.join('\n')}`, ...options(buttons)]);
}

function cardLines({ title, body, buttons }: CardFrame): string[] {
  return [title, body, ...options(buttons)];
}

function options(buttons: CardFrame['buttons']): string[] {
  return buttons.map(({ label }, index) => `  [${index + 1}] ${label}`);
}

function inThread(thread: string | undefined, read: string | undefined, lines: readonly string[]): string {
  const text = lines.filter((line) => line !== '').join('\n');
  return printable(thread === undefined || thread === read ? text : `[${thread}] ${text}`);
}
