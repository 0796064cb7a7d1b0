import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { byteLength, cleanText, MAX_ATTACHMENT_BYTES, MAX_FILES, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import type { Chat } from '../store/chats.ts';
import { revision } from '../store/database.ts';
import { TooLarge } from '../store/files.ts';
import { findLogin, type Login, logIn, logOut } from '../store/logins.ts';
import { readAssets } from './assets.ts';
import { type Origins, refusalOf } from './guard.ts';
import { type Hub, toText } from './hub.ts';
import { begin, Refusal, readJson, sendJson } from './replies.ts';

/** What a page can ask for. */

export interface RoutesParts {
  db: DatabaseSync;
  conversation: Conversation;
  hub: Hub;
  origins(): Origins;
  cookie: string;
  /** Of JSON bodies, in ms. */
  bodyMs?: number;
}

const PAGE = 50;
/** Uploaded, and in no message yet. */
const MAX_WAITING = 40;
const COOKIE_SECONDS = 30 * 24 * 3600;

const Token = z.object({ token: z.string().max(100) });
const Everywhere = z.object({ everywhere: z.boolean() });
const Name = z.object({ name: z.string().max(400) });
const Read = z.object({ seq: z.int().min(0) });
const Message = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{8,64}$/),
  text: z.string(),
  files: z.array(z.string().max(64)).max(MAX_FILES),
});
const Press = z.object({ message: z.string().max(256), data: z.string().max(64) });

/** Answers one request; what it throws is answered by its caller. */
export function createRoutes({ db, conversation, hub, origins, cookie, bodyMs }: RoutesParts) {
  const assets = readAssets();
  const { chats, messages, files } = conversation;

  return async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    begin(response);
    const { method = 'GET', headers } = request;
    const url = URL.parse(request.url ?? '', 'http://page');
    if (!url) throw new Refusal(400, 'That is no address.');
    const refusal = refusalOf({ method, path: url.pathname, headers }, origins());
    if (refusal !== undefined) throw new Refusal(403, refusal);
    const body = <T>(schema: z.ZodType<T>) => readJson(request, schema, bodyMs);

    const asset = method === 'GET' ? assets.get(url.pathname) : undefined;
    if (asset) {
      response.writeHead(200, { 'Content-Type': asset.type });
      return void response.end(asset.content);
    }
    const route = `${method} ${url.pathname}`;
    if (route === 'POST /api/login') return enter((await body(Token)).token);
    const login = findLogin(db, cookieOf(headers.cookie, cookie) ?? '', Date.now());
    if (!login) throw new Refusal(401, 'You are not logged in.');
    const { user } = login;

    switch (route) {
      case 'POST /api/logout':
        return leave(login, (await body(Everywhere)).everywhere);
      case 'GET /api/chats':
        return sendJson(response, 200, {
          user,
          rev: revision(db),
          newest: messages.newest(),
          maxFile: MAX_ATTACHMENT_BYTES,
          chats: chats.list(user),
        });
      case 'POST /api/chats':
        return addChat((await body(Name)).name);
      case 'POST /api/files':
        return upload();
      case 'GET /api/stream':
        return stream(login);
    }
    const [, file] = /^\/files\/([\w-]{1,64})$/.exec(url.pathname) ?? [];
    if (file !== undefined && method === 'GET') return download(file);
    const [, id = '', action] = /^\/api\/chats\/([\w.-]{1,64})\/(name|read|messages|press)$/.exec(url.pathname) ?? [];
    const chat = chats.get(id);
    // One that belongs to somebody else is not there.
    if (!chat || chat.user !== user) throw new Refusal(404, 'There is nothing here.');
    switch (`${method} ${action}`) {
      case 'GET messages':
        return history(chat);
      case 'POST messages':
        return say(chat, await body(Message));
      case 'POST press':
        return press(chat, await body(Press));
      case 'POST name':
        chats.rename(chat.id, chatName((await body(Name)).name));
        return named(chat.id);
      case 'POST read':
        chats.read(chat.id, (await body(Read)).seq);
        conversation.changed(chats.get(chat.id) ?? chat);
        return sendJson(response, 200, {});
    }
    throw new Refusal(405, 'That can not be done here.');

    function enter(token: string): void {
      const kept = logIn(db, token, Date.now());
      if (kept === undefined) {
        throw new Refusal(401, 'This link was used already, or is older than ten minutes. Make a new one.');
      }
      setCookie(kept, COOKIE_SECONDS);
      sendJson(response, 200, {});
    }

    function leave(one: Login, everywhere: boolean): void {
      logOut(db, one, everywhere);
      setCookie('', 0);
      sendJson(response, 200, {});
      hub.end(user, everywhere ? undefined : one.hash);
    }

    function setCookie(value: string, seconds: number): void {
      const isSecure = headers.origin?.startsWith('https:') ? '; Secure' : '';
      response.setHeader(
        'Set-Cookie',
        `${cookie}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure}`,
      );
    }

    function addChat(name: string): void {
      const made = chats.add(user, chatName(name), Date.now());
      if (!made) throw new Refusal(409, 'There are too many chats.');
      named(made.id);
    }

    function named(chatId: string): void {
      const one = chats.get(chatId);
      if (one) conversation.named(one);
      sendJson(response, 200, one);
    }

    function history(one: Chat): void {
      const before = Number(url?.searchParams.get('before') ?? Number.MAX_SAFE_INTEGER);
      if (!Number.isSafeInteger(before)) throw new Refusal(400, 'That is no place in a chat.');
      sendJson(response, 200, { messages: messages.page(one.id, before, PAGE), more: PAGE });
    }

    async function say(one: Chat, message: z.infer<typeof Message>): Promise<void> {
      if (message.text.trim() === '' && message.files.length === 0) throw new Refusal(400, 'There is nothing in it.');
      if (byteLength(message.text) > MAX_TEXT_BYTES) throw new Refusal(413, 'That is too long: 256 KB at most.');
      sendJson(response, 200, await conversation.say(one, message));
    }

    async function press(one: Chat, { message, data }: z.infer<typeof Press>): Promise<void> {
      sendJson(response, 200, { answer: await conversation.press(one, message, data) });
    }

    async function upload(): Promise<void> {
      // No form of another page can have this type without asking first.
      if (headers['content-type'] !== 'application/octet-stream') throw new Refusal(415, 'A file comes as its bytes.');
      if (Number(headers['content-length']) > MAX_ATTACHMENT_BYTES) throw tooLarge();
      // Left behind by pages that were closed: nobody asks for them any more.
      files.keepWaiting(user, MAX_WAITING - 1);
      const name = url?.searchParams.get('name') ?? 'file';
      const taken = await files.take(user, name, request, MAX_ATTACHMENT_BYTES, Date.now()).catch((error: unknown) => {
        throw error instanceof TooLarge ? tooLarge() : error;
      });
      sendJson(response, 200, taken);
    }

    function download(fileId: string): void {
      const found = files.get(user, fileId);
      if (!found) throw new Refusal(404, 'That file is not here.');
      const isShown = found.image && url?.searchParams.has('show');
      response.writeHead(200, {
        'Content-Type': found.type,
        'Content-Length': found.size,
        'Content-Security-Policy': "default-src 'none'; sandbox",
        'Content-Disposition': isShown ? 'inline' : `attachment; ${fileName(found.name)}`,
      });
      const content = files.read(found.id);
      content.on('error', () => response.destroy());
      response.on('close', () => content.destroy());
      content.pipe(response);
    }

    function stream(one: Login): void {
      const since = Number(headers['last-event-id'] ?? url?.searchParams.get('since') ?? 0);
      if (!Number.isSafeInteger(since)) throw new Refusal(400, 'That is no place to go on from.');
      if (!hub.add(response, user, one.hash)) throw new Refusal(429, 'The page is open too often.');
      const missed = conversation.missed(user, since) ?? [{ event: 'reset', data: null }];
      for (const frame of [...missed, conversation.now(user)]) response.write(toText(frame));
    }
  };
}

function chatName(name: string): string {
  const clean = cleanText(name)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, 80)
    .toWellFormed();
  if (clean === '') throw new Refusal(400, 'A chat needs a name.');
  return clean;
}

function tooLarge(): Refusal {
  return new Refusal(413, `A file may have ${MAX_ATTACHMENT_BYTES / 1024 / 1024} MB.`);
}

/** For old readers in ASCII, for the others as it is. */
function fileName(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(name).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `filename="${plain}"; filename*=UTF-8''${exact}`;
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [key, value] = part.trim().split('=');
    if (key === name) return value;
  }
  return undefined;
}
