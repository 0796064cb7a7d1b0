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

  /** Keeps to the end, where the reader was there. @param {() => void} change */
  function atEnd(change) {
    const wasNear = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
    change();
    if (wasNear) box.scrollTop = box.scrollHeight;
  }

  /** @param {Said} said */
  function put(said) {
    const key = keyOf(said);
    const before = shown.get(key);
    // What a page asked for may come after what it was told.
    if (before && before.said.rev > said.rev) return;
    const item = toItem(said, (data) => press(said, data), answers.get(key));
    shown.set(key, { said, item });
    const held = before?.item.contains(document.activeElement);
    if (before && before.said.seq === said.seq) before.item.replaceWith(item);
    else {
      // Its place is known only now.
      before?.item.remove();
      list.insertBefore(item, firstAfter(said.seq));
    }
    if (held) box.focus();
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
    end() {
      box.scrollTop = box.scrollHeight;
    },
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

/** @param {Said} said @param {(data: string) => void} press @param {string | undefined} answer */
function toItem(said, press, answer) {
  const isOwn = said.author === 'me';
  const time = new Date(said.at);
  const who = element(
    'p',
    { class: 'who' },
    isOwn ? 'You, ' : 'Agent, ',
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
  return element('p', { class: isBad ? 'note bad' : 'note' }, note ? `${words}. ${note}` : words);
}
