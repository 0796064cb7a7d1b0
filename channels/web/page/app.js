/** @import { Begin, Chat, Connection, Said, Waiting } from './types.d.ts' */
import { api, Refused } from './api.js';
import { createChatList } from './chat-list.js';
import { createComposer } from './composer.js';
import { byId } from './dom.js';
import { createLog, UNKNOWN } from './log.js';
import { createNews } from './news.js';
import { createOutbox } from './outbox.js';
import { openStream } from './stream.js';

/** Puts the page together: what the server says goes to the chats, what the user does to the server. */

/** @type {Readonly<Record<Connection, string>>} */
const CONNECTIONS = { connected: 'Connected', connecting: 'Connecting…', offline: 'Offline' };

const login = byId('login', HTMLElement);
const room = byId('room', HTMLElement);

void enter();

async function enter() {
  const token = location.pathname === '/login' ? location.hash.slice(1) : '';
  /** @type {string | undefined} */
  let problem;
  if (token !== '') {
    login.hidden = false;
    // Gone from the address and from the history before anything else.
    history.replaceState(null, '', '/');
    await api.logIn(token).catch((error) => {
      problem = sentenceOf(error);
    });
  }
  // A link that this very browser used up is no reason to stay outside.
  const first = await api.begin().catch((error) => sentenceOf(error));
  if (typeof first === 'string') return askForLink(problem ?? first);
  login.hidden = true;
  room.hidden = false;
  byId('skip', HTMLElement).hidden = false;
  run(first);
}

/** @param {unknown} error */
function sentenceOf(error) {
  return error instanceof Refused ? error.message : 'The page could not be reached. Try it again.';
}

/** @param {string} sentence */
function askForLink(sentence) {
  room.hidden = true;
  byId('skip', HTMLElement).hidden = true;
  login.hidden = false;
  byId('login-says', HTMLElement).textContent = sentence;
  byId('login-how', HTMLElement).hidden = false;
}

/** @param {Begin} first */
function run(first) {
  /** @type {Map<string, Chat>} */
  let chats = new Map(first.chats.map((chat) => [chat.id, chat]));
  /** @type {Map<string, string>} */
  let progress = new Map();
  /** @type {Set<string>} */
  let typing = new Set();
  let open = '';
  /** Up to there all messages are counted. */
  let counted = first.newest;
  /** Later ones that are. @type {Set<number>} */
  let seen = new Set();
  /** The end of the stream is meant. */
  let isLeaving = false;

  const log = createLog({
    press: (said, data) =>
      api.press(said.chat, said.id, data).then(
        ({ answer }) => answer,
        (error) => (error instanceof TypeError ? 'There is no connection. Press it again later.' : error.message),
      ),
  });
  const news = createNews();
  const list = createChatList((id) => void choose(id));
  const composer = createComposer({ maxFile: () => first.maxFile, send });
  const outbox = createOutbox(first.user, {
    sent: (said) => told(said),
    refused: (message, sentence) => told({ ...toSaid(message), rev: 1, state: 'refused', note: sentence }),
    away: () => loggedOut('You were logged out. Your messages wait here, and are sent when you are back.'),
  });
  const stream = openStream(first.rev, {
    tell,
    connection(state) {
      const shown = byId('connection', HTMLElement);
      if (shown.dataset.state !== state) shown.textContent = CONNECTIONS[state];
      shown.dataset.state = state;
      if (state === 'connected') void outbox.flush();
    },
    refused: () =>
      void api.begin().catch((error) => {
        if (error instanceof Refused && error.status === 401 && !isLeaving) loggedOut('You were logged out.');
      }),
  });

  byId('user', HTMLElement).textContent = first.user;
  byId('new-chat', HTMLButtonElement).onclick = () =>
    void naming('New chat', '', async (name) => {
      const made = await api.addChat(name);
      chats.set(made.id, made);
      await choose(made.id);
    });
  byId('rename', HTMLButtonElement).onclick = () => {
    const chat = chats.get(open);
    if (chat) void naming('Rename this chat', chat.name, (name) => api.rename(chat.id, name));
  };
  byId('log-out', HTMLButtonElement).onclick = async () => {
    isLeaving = true;
    try {
      await api.logOut(false);
      outbox.clear();
      loggedOut('You are logged out.');
    } catch (error) {
      isLeaving = false;
      composer.say(`You are still logged in. ${sentenceOf(error)}`);
    }
  };
  byId('older', HTMLButtonElement).onclick = () => void older();
  document.addEventListener('visibilitychange', () => markRead());

  void choose(first.chats.find((chat) => `#${chat.id}` === location.hash)?.id ?? first.chats[0]?.id ?? '');
  void outbox.flush();

  /** @param {string} sentence */
  function loggedOut(sentence) {
    stream.end();
    document.title = 'NanoClaw';
    askForLink(sentence);
  }

  /** @param {string} event @param {any} data */
  function tell(event, data) {
    if (event === 'message') told(data);
    else if (event === 'chat') {
      chats.set(data.id, data);
      showChats();
    } else if (event === 'progress') {
      progress.set(data.chat, data.text);
      if (data.chat === open) log.progress(data.text);
    } else if (event === 'typing') {
      if (data.on) typing.add(data.chat);
      else typing.delete(data.chat);
      if (!data.on) news.rest(data.chat);
      if (data.chat === open) log.typing(data.on);
    } else if (event === 'now') {
      typing = new Set(data.typing);
      progress = new Map(Object.entries(data.progress));
      showWork();
    } else if (event === 'reset') void reload();
  }

  /** @param {Said} said */
  function told(said) {
    const chat = chats.get(said.chat);
    const isNew = said.author === 'agent' && said.seq > counted && !seen.has(said.seq);
    if (isNew || said.outcome) {
      progress.delete(said.chat);
      if (said.chat === open) log.progress(undefined);
    }
    if (said.chat === open) log.show([said]);
    if (said.author !== 'agent' || !chat) return;
    seen.add(said.seq);
    news.tell(said, { chat: chat.name, isNew, isWorking: typing.has(said.chat) });
    if (isNew) chats.set(chat.id, { ...chat, unread: chat.unread + 1 });
    showChats();
    markRead();
  }

  function markRead() {
    const chat = chats.get(open);
    if (!chat || chat.unread === 0 || document.hidden) return;
    chats.set(open, { ...chat, unread: 0 });
    showChats();
    void api.read(open, log.newest()).catch(() => {});
  }

  function showChats() {
    list.show([...chats.values()], open);
    byId('chat-name', HTMLElement).textContent = chats.get(open)?.name ?? 'NanoClaw';
    const unread = [...chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
    document.title = unread > 0 ? `(${unread}) NanoClaw` : 'NanoClaw';
  }

  function showWork() {
    log.progress(progress.get(open));
    log.typing(typing.has(open));
  }

  /** @param {string} id */
  async function choose(id) {
    open = id;
    history.replaceState(null, '', `/#${id}`);
    list.fold();
    log.clear();
    showChats();
    showWork();
    log.show(
      outbox
        .all()
        .filter((one) => one.chat === id)
        .map(toSaid),
    );
    composer.focus();
    await load(id);
    log.end();
    markRead();
  }

  /** @param {string} id @param {number} [before] */
  async function load(id, before) {
    const button = byId('older', HTMLButtonElement);
    try {
      const { messages, more } = await api.history(id, before);
      if (id !== open) return;
      if (before === undefined) log.show(messages);
      else log.showOlder(messages);
      button.hidden = messages.length < more;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return loggedOut('You were logged out.');
      composer.say('What was said here could not be loaded.');
    }
  }

  async function older() {
    await load(open, log.oldest());
    if (byId('older', HTMLButtonElement).hidden) byId('log', HTMLElement).focus();
  }

  /** More has changed than can be told one by one. */
  async function reload() {
    const now = await api.begin();
    stream.saw(now.rev);
    chats = new Map(now.chats.map((chat) => [chat.id, chat]));
    counted = now.newest;
    seen = new Set();
    await choose(chats.has(open) ? open : (now.chats[0]?.id ?? ''));
  }

  /** @param {string} text @param {import('./types.d.ts').KeptFile[]} files */
  function send(text, files) {
    /** @type {Waiting} */
    const message = { chat: open, id: crypto.randomUUID(), text, files, at: new Date().toISOString() };
    log.show([toSaid(message)]);
    log.end();
    outbox.add(message);
  }
}

/** As it stands in the log until the server has it. @param {Waiting} message @returns {Said} */
function toSaid(message) {
  return { ...message, seq: UNKNOWN, rev: 0, author: 'me', edited: false, state: 'queued' };
}

/** @param {string} title @param {string} before @param {(name: string) => Promise<unknown>} save */
async function naming(title, before, save) {
  const dialog = byId('naming', HTMLDialogElement);
  const input = byId('name', HTMLInputElement);
  byId('naming-title', HTMLElement).textContent = title;
  byId('naming-cancel', HTMLButtonElement).onclick = () => dialog.close('cancel');
  input.value = before;
  dialog.returnValue = 'cancel';
  dialog.onclose = () => {
    if (dialog.returnValue === 'cancel' || input.value.trim() === '') return;
    void save(input.value).catch((error) => {
      byId('problem', HTMLElement).textContent =
        error instanceof TypeError ? 'There is no connection.' : String(error.message);
    });
  };
  dialog.showModal();
  input.select();
}
