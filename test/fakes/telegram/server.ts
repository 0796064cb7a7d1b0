import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readHtml } from './html.ts';

/** A Bot API played by the test. It refuses what Telegram refuses. */

export const TOKEN = '4242:AAfake-token-of-the-scripted-bot-api';
export const BOT = { id: 4242, is_bot: true, first_name: 'Andy', username: 'AndyTestBot' };

export interface SentMessage {
  id: number;
  chat: number;
  thread: number | null;
  text: string;
  buttons: { text: string; callback_data: string }[];
  files: { name: string; size: number; method: string; content: Buffer }[];
  silent: boolean;
}

export type ServerFault =
  | { kind: 'refuse'; code: number; description: string; parameters?: object }
  /** Kept, and the connection ends without an answer. */
  | { kind: 'taken' }
  | { kind: 'garbage' };

export interface TelegramServer extends AsyncDisposable {
  url: string;
  settings: { TOKEN: string; API_URL: string };
  sent: SentMessage[];
  calls: { method: string; fields: Record<string, unknown> }[];
  /** Queues an update; returns its number. */
  push(update: object): number;
  /** Queues a message with the next number of its chat, over these; returns it. */
  message(fields: { chat: { id: number; [field: string]: unknown }; [field: string]: unknown }): number;
  /** How many updates were handed out, each as often as it was. */
  handed: number;
  /** What getUpdates would give now. */
  waiting(): { update_id: number; message?: object }[];
  /** As if the confirmation had been lost. */
  again(updateId: number): void;
  file(content: Buffer, tells?: boolean): { file_id: string; file_size?: number };
  /** For the next call of a method that begins so. */
  faults: { method: RegExp; fault: ServerFault }[];
  webhook: string;
  /** Every connection breaks. */
  drop(): void;
  /** Nothing is answered, and nothing new can connect, until called with false. */
  away(is: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startTelegramServer(): Promise<TelegramServer> {
  const sent: SentMessage[] = [];
  const calls: TelegramServer['calls'] = [];
  const faults: TelegramServer['faults'] = [];
  const files: Buffer[] = [];
  const numbers = new Map<number, number>();
  let updates: ({ update_id: number } & Record<string, unknown>)[] = [];
  const all = new Map<number, { update_id: number }>();
  let nextUpdate = 700_000;
  let poll: ((reason: 'conflict' | 'news' | 'timeout') => void) | undefined;

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => reply(response, 500, String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, file, token, rest = ''] = /^(\/file)?\/bot([^/]+)\/(.*)$/.exec(request.url ?? '') ?? [];
    const body = await readBody(request);
    if (token !== state.settings.TOKEN) return reply(response, 401, 'Unauthorized');
    if (file) {
      const content = files[Number(/^files\/(\d+)$/.exec(rest)?.[1])];
      return content ? void response.end(content) : reply(response, 404, 'Not Found');
    }
    calls.push({ method: rest, fields: body.fields });
    const at = faults.findIndex(({ method }) => method.test(rest));
    const fault = at === -1 ? undefined : faults.splice(at, 1)[0]?.fault;
    if (fault?.kind === 'refuse') return reply(response, fault.code, fault.description, fault.parameters);
    if (fault?.kind === 'garbage') return void response.end('<html>the gateway is well</html>');
    if (rest === 'getUpdates') return getUpdates(body.fields, response);
    const result = call(rest, body);
    if (fault?.kind === 'taken') return void request.socket.destroy();
    if (result instanceof Refused) return reply(response, result.code, result.message);
    response.end(JSON.stringify({ ok: true, result }));
  }

  async function getUpdates(fields: Record<string, unknown>, response: ServerResponse): Promise<void> {
    if (state.webhook !== '') {
      return reply(
        response,
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    }
    const offset = Number(fields.offset ?? 0);
    updates = updates.filter((update) => update.update_id >= offset);
    poll?.('conflict');
    const allowed = Array.isArray(fields.allowed_updates) ? fields.allowed_updates : ['message'];
    const given = () => updates.filter((update) => allowed.some((kind) => String(kind) in update)).slice(0, 100);
    const timeout = Number(fields.timeout ?? 0);
    if (given().length === 0 && timeout > 0) {
      const reason = await new Promise<'conflict' | 'news' | 'timeout' | 'gone'>((resolve) => {
        const timer = setTimeout(() => resolve('timeout'), timeout * 1000);
        const own = (why: 'conflict' | 'news' | 'timeout') => {
          clearTimeout(timer);
          if (poll === own) poll = undefined;
          resolve(why);
        };
        poll = own;
        response.on('close', () => own('timeout'));
      });
      if (reason === 'conflict') {
        return reply(
          response,
          409,
          'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
        );
      }
    }
    state.handed += given().length;
    response.end(JSON.stringify({ ok: true, result: given() }));
  }

  function call(method: string, { fields, file }: Body): unknown {
    switch (method) {
      case 'getMe':
        return { ...BOT, can_read_all_group_messages: false };
      case 'getWebhookInfo':
        return { url: state.webhook, pending_update_count: updates.length };
      case 'deleteWebhook':
        state.webhook = '';
        return true;
      case 'getFile': {
        const content = files[Number(fields.file_id)];
        if (!content) return new Refused(400, 'Bad Request: wrong file_id or the file is temporarily unavailable');
        if (content.length > 20 * 1024 * 1024) return new Refused(400, 'Bad Request: file is too big');
        return { file_id: fields.file_id, file_path: `files/${fields.file_id}` };
      }
      case 'sendMessage':
        return send(fields, shown(fields, 'text', 4096), [], method);
      case 'sendPhoto':
      case 'sendDocument':
      case 'sendVideo':
      case 'sendAudio':
      case 'sendVoice':
        if (!file || file.content.length === 0) return new Refused(400, 'Bad Request: file must be non-empty');
        if (file.content.length > 50 * 1024 * 1024) return new Refused(413, 'Request Entity Too Large');
        if (method === 'sendPhoto' && !/^\x89PNG|^\xff\xd8/.test(file.content.toString('latin1', 0, 4))) {
          return new Refused(400, 'Bad Request: IMAGE_PROCESS_FAILED');
        }
        return send(
          fields,
          shown(fields, 'caption', 1024),
          [{ name: file.name, size: file.content.length, method, content: file.content }],
          method,
        );
      case 'editMessageText':
        return edit(fields);
      case 'setMessageReaction':
      case 'sendChatAction':
        return known(fields) ?? true;
      case 'answerCallbackQuery':
        return String(fields.text ?? '').length > 200 ? new Refused(400, 'Bad Request: MESSAGE_TOO_LONG') : true;
      default:
        return new Refused(404, 'Not Found');
    }
  }

  function known({ chat_id }: Record<string, unknown>): Refused | undefined {
    return Number.isSafeInteger(Number(chat_id)) && Number(chat_id) !== 0 && !state.gone.has(Number(chat_id))
      ? undefined
      : new Refused(400, 'Bad Request: chat not found');
  }

  function send(
    fields: Record<string, unknown>,
    text: string | Refused,
    own: SentMessage['files'],
    method: string,
  ): unknown {
    const problem = known(fields);
    if (problem) return problem;
    if (text instanceof Refused) return text;
    if (method === 'sendMessage' && text.trim() === '') return new Refused(400, 'Bad Request: message text is empty');
    const chat = Number(fields.chat_id);
    const thread = fields.message_thread_id === undefined ? null : Number(fields.message_thread_id);
    if (thread === 999) return new Refused(400, 'Bad Request: message thread not found');
    const buttons = keyboard(fields);
    if (buttons instanceof Refused) return buttons;
    const id = number(chat);
    sent.push({ id, chat, thread, text, buttons, files: own, silent: fields.disable_notification === true });
    return {
      message_id: id,
      date: seconds(),
      chat: { id: chat, type: chat > 0 ? 'private' : 'supergroup' },
      from: BOT,
      text,
    };
  }

  function edit(fields: Record<string, unknown>): unknown {
    const message = sent.find(({ chat, id }) => chat === Number(fields.chat_id) && id === Number(fields.message_id));
    if (!message) return new Refused(400, 'Bad Request: message to edit not found');
    const text = shown(fields, 'text', 4096);
    if (text instanceof Refused) return text;
    const buttons = keyboard(fields);
    if (buttons instanceof Refused) return buttons;
    if (text === message.text && JSON.stringify(buttons) === JSON.stringify(message.buttons)) {
      return new Refused(
        400,
        'Bad Request: message is not modified: specified new message content and reply markup are exactly the same',
      );
    }
    Object.assign(message, { text, buttons });
    return { message_id: message.id, date: seconds(), chat: { id: message.chat, type: 'private' }, text };
  }

  function number(chat: number): number {
    const next = (numbers.get(chat) ?? 0) + 1;
    numbers.set(chat, next);
    return next;
  }

  const state: TelegramServer & { gone: Set<number> } = {
    url,
    settings: { TOKEN, API_URL: url },
    sent,
    calls,
    faults,
    webhook: '',
    handed: 0,
    gone: new Set([13]),
    push(update) {
      nextUpdate += 1;
      const one = { update_id: nextUpdate, ...update };
      updates.push(one);
      all.set(nextUpdate, one);
      poll?.('news');
      return nextUpdate;
    },
    message(fields) {
      const message_id = number(fields.chat.id);
      state.push({ message: { message_id, date: seconds(), ...fields } });
      return message_id;
    },
    waiting: () => [...updates],
    again(updateId) {
      const update = all.get(updateId);
      if (update)
        updates = [update, ...updates.filter((one) => one !== update)].toSorted((a, b) => a.update_id - b.update_id);
      poll?.('news');
    },
    file(content, tells = true) {
      files.push(content);
      return { file_id: String(files.length - 1), ...(tells && { file_size: content.length }) };
    },
    drop: () => server.closeAllConnections(),
    async away(is) {
      if (is) {
        server.close();
        server.closeAllConnections();
        return;
      }
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async close() {
      poll?.('timeout');
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
    [Symbol.asyncDispose]: () => state.close(),
  };
  return state;
}

class Refused {
  readonly code: number;
  readonly message: string;
  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}

interface Body {
  fields: Record<string, unknown>;
  file?: { name: string; content: Buffer };
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  if (raw.length === 0) return { fields: {} };
  if (!type.startsWith('multipart/')) return { fields: JSON.parse(raw.toString()) };
  const fields: Record<string, unknown> = {};
  let file: Body['file'];
  for (const [key, value] of await new Response(raw, { headers: { 'content-type': type } }).formData()) {
    if (typeof value === 'string') fields[key] = value;
    else file = { name: value.name, content: Buffer.from(await value.arrayBuffer()) };
  }
  return { fields, ...(file && { file }) };
}

/** What is read by people, or why it is refused. */
function shown(fields: Record<string, unknown>, key: string, limit: number): string | Refused {
  const given = String(fields[key] ?? '');
  const read = fields.parse_mode === 'HTML' ? readHtml(given) : { text: given };
  if ('error' in read) return new Refused(400, `Bad Request: can't parse entities: ${read.error}`);
  return read.text.length > limit ? new Refused(400, `Bad Request: message ${key} is too long`) : read.text;
}

function keyboard({ reply_markup }: Record<string, unknown>): SentMessage['buttons'] | Refused {
  const markup = reply_markup as { inline_keyboard?: SentMessage['buttons'][] } | undefined;
  const buttons = (markup?.inline_keyboard ?? []).flat();
  if (buttons.some(({ callback_data: data }) => Buffer.byteLength(data) > 64 || data === '')) {
    return new Refused(400, 'Bad Request: BUTTON_DATA_INVALID');
  }
  return buttons;
}

function reply(response: ServerResponse, code: number, description: string, parameters?: object): void {
  response.statusCode = code;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: false, error_code: code, description, ...(parameters && { parameters }) }));
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
