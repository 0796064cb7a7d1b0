import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startHost, type TestHost } from '../support/host-process.ts';
import { type Delivered, type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';
import { type Pulse, startPulse } from './pulse.ts';

/** One real host with a neighbour that talks all the time, and chats whose folders are attacked. */

/** What no delivery may ever hold. */
export const CANARY = 'canary-7f3a-which-no-delivery-may-hold';

export interface Heard {
  text: string;
  files: readonly { name: string; size: number; bytes: string }[];
  progress: boolean;
  /** By `performance.now()`. */
  at: number;
}

/** A chat, its session's folders, and what was said there. */
export interface Place {
  chat: string;
  sessionId: string;
  session: string;
  box: string;
  db: string;
  outbox: string;
  groupFolder: string;
  neighbourBox: string;
  secret: string;
  uid: number;
  /** Everything that was delivered there, in order. */
  heard: readonly Heard[];
  send(text: string): string;
  outcome(messageId: string): string | undefined;
  /** Runs a script of the shell as the agent's uid, in its box; ended with the case. */
  run(script: string): ChildProcess;
  /** The same with a program for Node that lies in the box. */
  runNode(file: string): ChildProcess;
  /** A script, and waits until it has ended. */
  finish(script: string): Promise<void>;
  /** Resolves when something is heard there, from the `from`th on, that matches. */
  hears(pattern: RegExp, from: number, ms: number): Promise<Heard>;
  /** Ends the runner's process as a crash would. */
  killRunner(): void;
  /** Ends what `run` has started. */
  cleanUp(): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  host: TestHost;
  platform: Platform;
  pulse: Pulse;
  /** Makes sure that its sandbox runs. */
  open(chat: string): Promise<Place>;
  chats: readonly string[];
  heard(chat: string): readonly Heard[];
  /** The ids by which the host knows a chat's messages. */
  messageIds(chat: string): string[];
  census(): Census;
}

/** What may grow when something is left behind. */
export interface Census {
  descriptors: number;
  children: number;
  scratch: readonly string[];
}

const NEIGHBOUR = 'b';
/** No process has this number. */
const NOBODY = 2 ** 30;

export async function startStage(chats: readonly string[]): Promise<Stage> {
  const platform = await startPlatform();
  // A try that comes again at once is enough to see that it comes.
  const environment = { NANOCLAW_RETRY_MS: '500', NANOCLAW_MAX_SANDBOXES: '40' };
  const host = await startHost({ platform, chats: [NEIGHBOUR, ...chats], environment });
  const heard = new Map<string, Heard[]>([NEIGHBOUR, ...chats].map((chat) => [chat, []]));
  // Files lie there as long as the delivery runs.
  platform.answer((message) => {
    heard.get(message.chat)?.push(hear(message));
    return undefined;
  });
  const secret = join(host.home, 'data', 'secret');
  writeFileSync(secret, CANARY);
  const pulse = startPulse(platform, NEIGHBOUR, heard.get(NEIGHBOUR) ?? []);
  await pulse.first;
  const neighbour = folderOf(host.home, NEIGHBOUR);
  writeFileSync(join(neighbour.folder, 'box', 'keep.txt'), CANARY);

  async function open(chat: string): Promise<Place> {
    const said = heard.get(chat) ?? [];
    await ask(platform, chat, said);
    const { id, folder, group } = folderOf(host.home, chat);
    const box = join(folder, 'box');
    const { uid } = statSync(box);
    const started: ChildProcess[] = [];
    const start = (command: string, args: readonly string[]) => {
      // The parents are the host's alone: whoever starts there needs no way through them.
      const asRoot = process.getuid?.() === 0;
      // In a sandbox it would end with it: what goes on for long asks whether RUNNER does.
      const env = { PATH: process.env.PATH, RUNNER: String(runnerOf(id) ?? NOBODY) };
      const options = { cwd: box, env, stdio: 'ignore' as const, detached: true, ...(asRoot && { uid, gid: uid }) };
      const child = spawn(command, args, options);
      started.push(child);
      return child;
    };
    const run = (script: string) => start('bash', ['-c', script]);
    return {
      chat,
      sessionId: id,
      session: folder,
      box,
      db: join(box, 'outbound.db'),
      outbox: join(box, 'outbox'),
      groupFolder: join(host.home, 'groups', group),
      neighbourBox: join(neighbour.folder, 'box'),
      secret,
      uid,
      heard: said,
      send: (text) => platform.send(chat, text),
      outcome: (messageId) => platform.events.get(messageId)?.outcome,
      run,
      runNode: (file) => start(process.execPath, [file]),
      async finish(script) {
        const child = run(script);
        await once(child, 'exit');
        if (child.exitCode !== 0) throw new Error(`ended with ${child.exitCode}: ${script}`);
      },
      async hears(pattern, from, ms) {
        const find = () => said.slice(from).find((each) => !each.progress && pattern.test(each.text));
        await until(find, ms).catch(() => {
          const texts = said.slice(from).map((each) => each.text.slice(0, 300));
          throw new Error(`${chat} did not hear ${pattern} within ${ms} ms, but ${JSON.stringify(texts.slice(-5))}`);
        });
        return find() as Heard;
      },
      killRunner() {
        const runner = runnerOf(id);
        // What was planted may have ended it already.
        if (runner !== undefined) process.kill(runner, 'SIGKILL');
      },
      async cleanUp() {
        for (const child of started.splice(0)) {
          if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue;
          const gone = once(child, 'exit');
          process.kill(-child.pid, 'SIGKILL');
          await gone;
        }
      },
    };
  }

  const pid = host.process.pid ?? 0;
  return {
    host,
    platform,
    pulse,
    open,
    chats: [...heard.keys()],
    heard: (chat) => heard.get(chat) ?? [],
    messageIds: (chat) => idsOf(host.home, chat),
    census: () => ({
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      children: childrenOf(pid).length,
      scratch: readdirSync(join(host.home, 'data/run')).filter((name) => !name.startsWith('sess-')),
    }),
    async [Symbol.asyncDispose]() {
      await pulse.stop();
      await host[Symbol.asyncDispose]();
      platform[Symbol.dispose]();
    },
  };
}

/** A ping, and its answer. */
export async function ask(platform: Platform, chat: string, said: readonly Heard[], ms = 30_000): Promise<number> {
  const start = performance.now();
  const from = said.length;
  platform.send(chat, 'ping');
  await until(() => said.slice(from).some((each) => /^pong /m.test(each.text)), ms).catch(() => {
    const texts = said.slice(from).map((each) => each.text.slice(0, 300));
    throw new Error(`${chat} got no pong within ${ms} ms, but ${JSON.stringify(texts)}`);
  });
  return performance.now() - start;
}

const MAX_LOOKED_AT = 64 * 1024;

function hear({ text, files, progress }: Delivered): Heard {
  const looked = files.map(({ name, path, size }) => ({
    name,
    size,
    bytes: size <= MAX_LOOKED_AT ? readFileSync(path, 'latin1') : '',
  }));
  return { text, files: looked, progress, at: performance.now() };
}

function idsOf(home: string, chat: string): string[] {
  return query(home, "SELECT id FROM messages WHERE platform_id = ? AND direction = 'in' ORDER BY seq", chat).map(
    (row) => String(row.id),
  );
}

function query(home: string, sql: string, value: string): Record<string, unknown>[] {
  const db = new DatabaseSync(join(home, 'data/v2.db'), { readOnly: true, timeout: 10_000 });
  try {
    return db.prepare(sql).all(value);
  } finally {
    db.close();
  }
}

function folderOf(home: string, chat: string): { id: string; folder: string; group: string } {
  const [row] = query(
    home,
    `SELECT s.id, s.agent_group_id, a.folder FROM sessions s JOIN messaging_groups g ON g.id = s.messaging_group_id
     JOIN agent_groups a ON a.id = s.agent_group_id WHERE g.platform_id = ?`,
    chat,
  );
  const id = String(row?.id);
  return { id, folder: join(home, 'data/v2-sessions', String(row?.agent_group_id), id), group: String(row?.folder) };
}

/** The process of a session's runner: its mounts name the session's folder. */
function runnerOf(sessionId: string): number | undefined {
  const found = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return (
        readlinkSync(`/proc/${name}/exe`).endsWith('/bun') &&
        readFileSync(`/proc/${name}/mountinfo`, 'utf8').includes(sessionId)
      );
    } catch {
      // It has ended meanwhile, or is another user's.
      return false;
    }
  });
  return found === undefined ? undefined : Number(found);
}

function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
}
