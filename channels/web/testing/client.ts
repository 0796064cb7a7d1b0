import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { z } from 'zod';

/** A page without a browser: it sends what a test wants, also what no browser would. */

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  json: unknown;
}

export interface Ask {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** As it stands, not as a URL would read it. */
  path: string;
}

export async function ask(origin: string, { method = 'GET', headers = {}, body, path }: Ask): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  const asked = request({ hostname, port, method, path, headers, agent: false });
  const answered = once(asked, 'response');
  asked.on('error', () => {});
  asked.end(body);
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode, headers: response.headers, body: text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface Client {
  cookie: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, value: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  upload(name: string, content: string | Uint8Array): Promise<string>;
  say(text: string, id: string, more?: { chat?: string; files?: readonly string[] }): Promise<Answer>;
  /** The newest page of it. */
  history(chat?: string): Promise<Line[]>;
  everything(chat: string): Promise<Line[]>;
}

const Line = z.object({
  seq: z.number(),
  author: z.string(),
  id: z.string(),
  text: z.string(),
  speaker: z.string().optional(),
  state: z.string(),
  note: z.string().optional(),
  outcome: z.string().optional(),
  edited: z.boolean(),
  card: z
    .object({
      title: z.string(),
      body: z.string(),
      buttons: z.array(z.object({ data: z.string(), label: z.string() })),
    })
    .optional(),
  files: z.array(z.object({ id: z.string(), name: z.string(), size: z.number(), type: z.string() })),
});
export type Line = z.infer<typeof Line>;
const History = z.object({ messages: z.array(Line) });
const Uploaded = z.object({ id: z.string() });

/** Logs in by a link. Throws when it doesn't open. */
export async function logIn(link: string): Promise<Client> {
  const { origin, hash } = new URL(link);
  const { status, headers } = await post('/api/login', { token: hash.slice(1) });
  if (status !== 200) throw new Error(`The link does not open: ${status}.`);
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';

  function post(path: string, value: unknown, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const all = { Origin: origin, 'Content-Type': 'application/json', ...more };
    return ask(origin, { method: 'POST', path, headers: all, body: JSON.stringify(value) });
  }

  async function page(chat: string, query = ''): Promise<Line[]> {
    return History.parse((await client.get(`/api/chats/${chat}/messages${query}`)).json).messages;
  }

  const client: Client = {
    cookie,
    get: (path, headers = {}) => ask(origin, { path, headers: { Cookie: cookie, ...headers } }),
    post: (path, value, headers = {}) => post(path, value, { Cookie: cookie, ...headers }),
    async upload(name, content) {
      const headers = { Cookie: cookie, Origin: origin, 'Content-Type': 'application/octet-stream' };
      const path = `/api/files?name=${encodeURIComponent(name)}`;
      return Uploaded.parse((await ask(origin, { method: 'POST', path, headers, body: content })).json).id;
    },
    say: (text, id, { chat = 'owner', files = [] } = {}) =>
      client.post(`/api/chats/${chat}/messages`, { id, text, files }),
    history: (chat = 'owner') => page(chat),
    async everything(chat) {
      let all = await page(chat);
      for (let older = all; older.length > 0; all = [...older, ...all]) {
        older = await page(chat, `?before=${all[0]?.seq}`);
      }
      return all;
    },
  };
  return client;
}
