import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { standardSignature, verify } from '../../channels/webhook/signature.ts';
import { createInstances } from '../../src/channels/instances.ts';
import { writeSettings } from '../../src/channels/settings.ts';
import { openCentral } from '../../src/db/connection.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { pathsFor } from '../../src/paths.ts';

/** A program that sends signed events, and takes signed answers; it lives on when the host is killed. */

export interface Answer {
  id: string;
  text: string;
  inReplyTo: string | null;
  source: string;
}

export interface Program extends AsyncDisposable {
  /** As `.env` and the account's settings name it. */
  settings: Record<string, string>;
  env: Record<string, string>;
  answers: Answer[];
  /** How often an answer came that was here already. */
  repeats: () => number;
  /** What came that wasn't signed as it should be. */
  forged: () => number;
  /** The next answers of its receiver; then 204. `taken`: it keeps what came, and hangs up. */
  fail(...statuses: (number | 'taken')[]): void;
  /** Some of them are still to be given. */
  isArmed(): boolean;
  send(event: SentEvent): Promise<Response>;
}

export interface SentEvent {
  id?: string;
  body: string;
  type?: string;
  source?: string;
  headers?: Record<string, string>;
}

const key = (secret: Buffer) => `whsec_${secret.toString('base64')}`;

export async function startProgram(instance = 'webhook'): Promise<Program> {
  const [inbound, outbound] = [randomBytes(32), randomBytes(32)];
  const answers: Answer[] = [];
  const failures: (number | 'taken')[] = [];
  let repeats = 0;
  let forged = 0;
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const verified = verify({ scheme: 'standard', keys: [outbound] }, { headers, body }, Date.now());
    if (!verified) forged += 1;
    const status = failures.shift() ?? 204;
    if (status === 'taken') response.destroy();
    else response.writeHead(status, status === 429 ? { 'retry-after': '2' } : {}).end();
    if (!verified || (status !== 204 && status !== 'taken')) return;
    const { data }: { data: Answer } = JSON.parse(body.toString());
    if (answers.some(({ id }) => id === verified.id)) repeats += 1;
    else answers.push(data);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = (server.address() as AddressInfo).port;
  const webhookPort = await freePort();
  return {
    settings: {
      SECRET: key(inbound),
      ANSWER_URL: `http://127.0.0.1:${port}/answers`,
      ANSWER_SECRET: key(outbound),
      ANSWER_PRIVATE: 'yes',
    },
    env: { WEBHOOK_PORT: String(webhookPort) },
    answers,
    repeats: () => repeats,
    forged: () => forged,
    isArmed: () => failures.length > 0,
    fail: (...statuses) => void failures.push(...statuses),
    send({ id = randomUUID(), body, type = 'text/plain', source = 'events', headers = {} }) {
      const time = String(Math.floor(Date.now() / 1000));
      const bytes = Buffer.from(body);
      return fetch(`http://127.0.0.1:${webhookPort}/webhook/${instance}/${source}`, {
        method: 'POST',
        body: bytes,
        headers: {
          'content-type': type,
          'webhook-id': id,
          'webhook-timestamp': time,
          'webhook-signature': standardSignature(inbound, id, time, bytes),
          ...headers,
        },
      });
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Makes the account, and with `wired` its chat and the right of its source to talk to the first agent. No host may run. */
export function addWebhook(
  home: string,
  settings: Readonly<Record<string, string>>,
  { instance = 'webhook', source = 'events', wired = true } = {},
): void {
  const paths = pathsFor(home);
  const now = Date.now();
  writeSettings(paths.channels, instance, settings);
  const db = openCentral({ file: join(home, 'data/v2.db'), backups: join(home, 'data/backups'), now });
  const at = new Date(now).toISOString();
  const agent = String(db.prepare('SELECT id FROM agent_groups ORDER BY uid_ordinal LIMIT 1').get()?.id);
  transaction(db, () => {
    createInstances(db).add({ instance, channel: 'webhook', source: null, enabled: true }, now);
    if (!wired) return;
    const chat = `mg-${instance}-${source}`;
    const user = `${instance}:${source}`;
    db.prepare(
      'INSERT INTO messaging_groups (id, channel_type, platform_id, name, created_at) VALUES (?, ?, ?, ?, ?)',
    ).run(chat, instance, source, source, at);
    db.prepare(
      `INSERT INTO messaging_group_agents (id, messaging_group_id, agent_group_id, engage_mode, engage_pattern, created_at)
       VALUES (?, ?, ?, 'pattern', '.', ?)`,
    ).run(`mga-${chat}`, chat, agent, at);
    db.prepare('INSERT INTO users (id, kind, display_name, created_at) VALUES (?, ?, ?, ?)').run(
      user,
      instance,
      source,
      at,
    );
    db.prepare('INSERT INTO agent_group_members (user_id, agent_group_id, added_at) VALUES (?, ?, ?)').run(
      user,
      agent,
      at,
    );
  });
  db.close();
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
