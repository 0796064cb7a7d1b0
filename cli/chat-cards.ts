import type { CardFrame, ServerFrame } from '../channels/terminal/frames.ts';

/** The cards of a chat, and which can still be answered. */
export interface Cards {
  see(frame: ServerFrame): void;
  /** As it was first shown. */
  get(id: string): CardFrame | undefined;
  /** The option of that number, from 1, of the newest card. */
  choose(number: number): { card: CardFrame; button: CardFrame['buttons'][number] } | undefined;
}

export function createCards(): Cards {
  const all = new Map<string, CardFrame>();
  const open = new Map<string, CardFrame>();
  return {
    see(frame) {
      if (frame.type === 'card') {
        all.set(frame.id, frame);
        open.set(frame.id, frame);
      }
      const card = frame.type === 'edited' ? open.get(frame.id) : undefined;
      if (frame.type !== 'edited' || !card) return;
      if (frame.buttons && frame.buttons.length > 0) open.set(frame.id, { ...card, buttons: frame.buttons });
      else open.delete(frame.id);
    },
    get: (id) => all.get(id),
    choose(number) {
      const card = [...open.values()].at(-1);
      const button = card?.buttons[number - 1];
      return card && button && { card, button };
    },
  };
}

/** `!2` in a conversation. */
export function optionIn(line: string): number | undefined {
  const number = /^!([1-9]\d{0,2})$/.exec(line.trim())?.[1];
  return number === undefined ? undefined : Number(number);
}

export const NO_OPTION = 'No open card here has that option; `ncl approvals list` shows what waits for a decision.';
