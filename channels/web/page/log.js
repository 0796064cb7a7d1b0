/** @import { KeptFile, Said } from './types.d.ts' */
import { byId, element, sizeText } from './dom.js';
import { render } from './render.js';

/** The messages of the chat that is open. One that changes is replaced where it stands. */

/** @type {Readonly<Record<string, string>>} */
const STATES = {
  queued: 'Waits for a connection',
  sending: 'Sending…',
  stored: 'Sent',
  answered: 'Answered',
  held: 'Held',
  dropped: 'Not taken',
  refused: 'Not taken',
};

/** @type {Readonly<Record<string, string>>} */
const OUTCOMES = {
  reply: 'Answered',
  silence: 'Read; no answer was needed',
  notice: 'Ended with a notice',
  stopped: 'Stopped',
};

const NEAR_END_PX = 120;
/** The place of one that the server doesn't have yet: after all others. */
export const UNKNOWN = Number.MAX_SAFE_INTEGER;

/** @param {{ press(said: Said, data: string): Promise<string> }} actions */
export function createLog(actions) {
  const box = byId('log', HTMLElement);
  const list = byId('messages', HTMLOListElement);
  const empty = byId('empty', HTMLElement);
  const progress = byId('progress', HTMLElement);
  const typing = byId('typing', HTMLElement);
  /** @type {Map<string, { said: Said, item: HTMLLIElement }>} */
  const shown = new Map();
  /** @type {Map<string, string>} */
  const answers = new Map();

  /** @param {Said} said */
  const keyOf = (said) => `${said.author} ${said.id}`;

  /** The reader is at the end, and wants to stay there. */
  let isNear = true;
  let height = box.clientHeight;
  let placed = 0;

  function toEnd() {
    isNear = true;
    box.scrollTop = box.scrollHeight;
    placed = box.scrollTop;
  }

  /** Keeps to the end, where the reader was there. @param {() => void} change */
  function atEnd(change) {
    const wasNear = isNear;
    change();
    if (wasNear) toEnd();
  }

  box.addEventListener('scroll', () => {
    // Of another height it is a keyboard or a turned phone that has moved it, and not the reader.
    if (box.clientHeight !== height || (isNear && box.scrollTop === placed)) return;
    isNear = box.scrollHeight - box.scrollTop - height < NEAR_END_PX;
  });
  const resized = new ResizeObserver(() => {
    height = box.clientHeight;
    if (isNear) toEnd();
  });
  resized.observe(box);
  // Pictures come later than their message.
  resized.observe(list);

  /** @param {Said} said */
  function put(said) {
    const key = keyOf(said);
    const before = shown.get(key);
    // What a page asked for may come after what it was told.
    if (before && before.said.rev > said.rev) return;
    // How it ended stands in the card itself.
    const isOpen = said.card !== undefined && said.card.buttons.length > 0;
    const item = toItem(said, (data) => press(said, data), isOpen ? answers.get(key) : undefined);
    shown.set(key, { said, item });
    const held = before?.item.contains(document.activeElement) ? document.activeElement : null;
    if (before && before.said.seq === said.seq) before.item.replaceWith(item);
    else {
      // Its place is known only now.
      before?.item.remove();
      list.insertBefore(item, firstAfter(said.seq));
    }
    if (held) refocus(item, held);
    empty.hidden = true;
  }

  /** @param {number} seq */
  function firstAfter(seq) {
    let first;
    for (const one of shown.values()) {
      if (one.said.seq > seq && (!first || one.said.seq < first.said.seq)) first = one;
    }
    return first?.item ?? null;
  }

  /** @param {Said} said @param {string} data */
  async function press(said, data) {
    const answer = await actions.press(said, data);
    if (answer === '') return;
    answers.set(keyOf(said), answer);
    const now = shown.get(keyOf(said))?.said;
    if (now) atEnd(() => put(now));
  }

  return {
    clear() {
      shown.clear();
      answers.clear();
      isNear = true;
      list.replaceChildren();
      empty.hidden = false;
      progress.hidden = true;
      typing.hidden = true;
    },
    /** @param {readonly Said[]} all */
    show(all) {
      atEnd(() => all.forEach(put));
    },
    /** Older ones, above: what is read stays where it is. @param {readonly Said[]} all */
    showOlder(all) {
      const fromEnd = box.scrollHeight - box.scrollTop;
      all.forEach(put);
      box.scrollTop = box.scrollHeight - fromEnd;
    },
    end: toEnd,
    newest: () => Math.max(0, ...[...shown.values()].map((one) => one.said.seq).filter((seq) => seq !== UNKNOWN)),
    oldest: () => Math.min(...[...shown.values()].map((one) => one.said.seq)),
    /** @param {string | undefined} text */
    progress(text) {
      atEnd(() => {
        progress.hidden = text === undefined;
        progress.replaceChildren(element('p', { class: 'who' }, 'On the way'), render(text ?? ''));
      });
    },
    /** @param {boolean} on */
    typing(on) {
      atEnd(() => {
        typing.hidden = !on;
      });
    },
  };
}

/** To what stands in the place of what had it. @param {HTMLLIElement} item @param {Element} held */
function refocus(item, held) {
  const controls = [...item.querySelectorAll('button, a')];
  const same = controls.find((one) => one.textContent === held.textContent);
  if (!same) item.tabIndex = -1;
  const next = same ?? item;
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/** @param {Said} said @param {(data: string) => void} press @param {string | undefined} answer */
function toItem(said, press, answer) {
  const isOwn = said.author === 'me';
  const time = new Date(said.at);
  const who = element(
    'p',
    { class: 'who' },
    isOwn ? 'You, ' : `${said.speaker ?? 'NanoClaw'}, `,
    element(
      'time',
      { datetime: said.at, title: time.toLocaleString() },
      time.toLocaleTimeString([], { timeStyle: 'short' }),
    ),
    said.edited ? ', changed' : '',
  );
  const item = element('li', { class: isOwn ? 'mine' : 'theirs', 'data-id': said.id }, who);
  const { card } = said;
  const what = element('div', { class: 'what' });
  // A person's own words are shown as they were written.
  if (isOwn) what.append(said.text);
  else if (card) what.append(element('h2', {}, card.title), render(card.body));
  else what.append(render(said.text));
  if (what.hasChildNodes()) item.append(what);
  if (said.files.length > 0) item.append(fileList(said.files));
  if (card && card.buttons.length > 0) item.append(buttons(card, press));
  if (answer) item.append(element('p', { class: 'note' }, answer));
  if (isOwn) item.append(stateOf(said));
  return item;
}

/** @param {NonNullable<Said['card']>} card @param {(data: string) => void} press */
function buttons(card, press) {
  const group = element('div', { class: 'buttons', role: 'group', 'aria-label': card.title });
  for (const { data, label } of card.buttons) {
    const button = element('button', { type: 'button' }, label);
    button.addEventListener('click', () => press(data));
    group.append(button);
  }
  return group;
}

/** @param {readonly KeptFile[]} files */
function fileList(files) {
  const items = files.map((file) => {
    const path = `/files/${encodeURIComponent(file.id)}`;
    const link = element('a', { href: path, download: file.name }, file.name);
    const picture = file.image ? element('img', { src: `${path}?show`, alt: file.name, loading: 'lazy' }) : undefined;
    return element('li', {}, picture, link, ` (${sizeText(file.size)})`);
  });
  return element('ul', { class: 'files', 'aria-label': 'Files' }, ...items);
}

/** @param {Said} said */
function stateOf({ state, outcome, note }) {
  const isBad = state === 'refused' || state === 'dropped';
  const words = (outcome && OUTCOMES[outcome]) ?? STATES[state] ?? state;
  // What it waited for is over.
  const more = outcome === undefined && note ? `. ${note}` : '';
  return element('p', { class: isBad ? 'note bad' : 'note' }, `${words}${more}`);
}
