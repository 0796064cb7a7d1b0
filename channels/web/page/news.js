/** @import { Said } from './types.d.ts' */
import { byId, element } from './dom.js';
import { render } from './render.js';
import { added } from './words.js';

/** What is new, said aloud by what reads the screen: the words, without marks, each of them once. */

const KEPT = 5;
const LONGEST = 1_000;

export function createNews() {
  const box = byId('news', HTMLElement);
  /** Still growing, and how much of it was said. @type {Map<string, { chat: string, words: string, said: number }>} */
  const growing = new Map();

  /** @param {string} words */
  function speak(words) {
    if (words.trim() === '') return;
    box.append(element('p', {}, words.slice(0, LONGEST)));
    while (box.childElementCount > KEPT) box.firstElementChild?.remove();
  }

  return {
    /** @param {Said} message @param {{ chat: string, isNew: boolean, isWorking: boolean }} how */
    tell(message, { chat, isNew, isWorking }) {
      const key = `${message.chat} ${message.id}`;
      const words = wordsOf(message);
      const before = growing.get(key);
      const isWhole = message.edited || message.card !== undefined || !isWorking;
      const { text, said } = added(before?.words ?? '', before?.said ?? 0, words, isWhole);
      // One that only grew while nobody was told of it is heard when it is opened.
      if (isNew || message.edited) speak(`${chat}: ${message.edited ? words : text}`);
      else if (before) speak(text);
      if (isWhole && !isWorking) growing.delete(key);
      else growing.set(key, { chat: message.chat, words, said });
    },
    /** The agent has ended there. @param {string} chat */
    rest(chat) {
      for (const [key, one] of growing) {
        if (one.chat !== chat) continue;
        speak(one.words.slice(one.said));
        growing.delete(key);
      }
    },
  };
}

/** @param {Said} said */
function wordsOf({ card, text, files }) {
  const words = render(card ? `${card.title}\n\n${card.body}` : text);
  for (const button of words.querySelectorAll('button')) button.remove();
  const parts = [...words.childNodes].map((node) => node.textContent);
  if (files.length > 0) parts.push(`Files: ${files.map((file) => file.name).join(', ')}`);
  return parts.join(' ');
}
