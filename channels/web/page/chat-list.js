/** @import { Chat } from './types.d.ts' */
import { byId, element } from './dom.js';

/** All chats of the user, and the one that is open. */

/** @param {(id: string) => void} choose */
export function createChatList(choose) {
  const list = byId('chats', HTMLUListElement);
  const side = byId('side', HTMLElement);
  const menu = byId('menu', HTMLButtonElement);

  /** @param {boolean} open */
  function unfold(open) {
    side.classList.toggle('open', open);
    menu.setAttribute('aria-expanded', String(open));
    const first = list.querySelector('[aria-current="true"]') ?? list.querySelector('button');
    if (open && first instanceof HTMLElement) first.focus();
  }

  menu.addEventListener('click', () => unfold(!side.classList.contains('open')));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !side.classList.contains('open')) return;
    unfold(false);
    menu.focus();
  });

  return {
    fold: () => unfold(false),
    /** @param {readonly Chat[]} chats @param {string} open */
    show(chats, open) {
      const held = document.activeElement?.getAttribute('data-chat');
      const items = chats.map((chat) => {
        const count =
          chat.unread === 0
            ? undefined
            : element('span', { class: 'count' }, String(chat.unread), element('span', { class: 'unseen' }, ' unread'));
        const current = chat.id === open ? 'true' : undefined;
        const name = element('span', {}, chat.name);
        const button = element(
          'button',
          { type: 'button', 'data-chat': chat.id, 'aria-current': current },
          name,
          count,
        );
        button.addEventListener('click', () => choose(chat.id));
        return element('li', {}, button);
      });
      list.replaceChildren(...items);
      if (held === null || held === undefined) return;
      for (const button of list.querySelectorAll('button')) if (button.dataset.chat === held) button.focus();
    },
  };
}
