/** @import { Begin, Chat, KeptFile, Said } from './types.d.ts' */

/** What the page asks its server for. */

export class Refused extends Error {
  /** @param {number} status @param {string} sentence */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

const PATIENCE_MS = 60_000;

/**
 * Throws a Refused, or whatever fetch throws when nobody answers.
 * @param {string} path @param {RequestInit} [init]
 */
async function ask(path, init = {}) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.error ?? 'That did not work.');
  return body;
}

/** @param {string} path @param {unknown} value */
function post(path, value) {
  return ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });
}

/** @param {string} chat @param {string} action */
const at = (chat, action) => `/api/chats/${encodeURIComponent(chat)}/${action}`;

export const api = {
  /** @param {string} token */
  logIn: (token) => post('/api/login', { token }),
  /** @param {boolean} everywhere */
  logOut: (everywhere) => post('/api/logout', { everywhere }),
  /** @returns {Promise<Begin>} */
  begin: () => ask('/api/chats'),
  /** @param {string} name @returns {Promise<Chat>} */
  addChat: (name) => post('/api/chats', { name }),
  /** @param {string} chat @param {string} name @returns {Promise<Chat>} */
  rename: (chat, name) => post(at(chat, 'name'), { name }),
  /** @param {string} chat @param {number} seq */
  read: (chat, seq) => post(at(chat, 'read'), { seq }),
  /** @param {string} chat @param {number} [before] @returns {Promise<{ messages: Said[], more: number }>} */
  history: (chat, before) => ask(`${at(chat, 'messages')}${before === undefined ? '' : `?before=${before}`}`),
  /** @param {string} chat @param {{ id: string, text: string, files: string[] }} message @returns {Promise<Said>} */
  say: (chat, message) => post(at(chat, 'messages'), message),
  /** @param {string} chat @param {string} message @param {string} data @returns {Promise<{ answer: string }>} */
  press: (chat, message, data) => post(at(chat, 'press'), { message, data }),
  /** @param {File} file @returns {Promise<KeptFile>} */
  upload: (file) =>
    ask(`/api/files?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/octet-stream' },
      body: file,
      signal: AbortSignal.timeout(30 * PATIENCE_MS),
    }),
};
