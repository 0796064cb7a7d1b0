import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerFrame } from '../../channels/terminal/index.ts';
import { parseLine, readLines, sendLine } from '../../cli/sockets/lines.ts';
import { connectUnix } from '../../cli/sockets/listen.ts';
import { until } from '../support/until.ts';
import type { FarEnd, Shown } from './contract.ts';

/** Somebody at the terminal, who watches the owner's chat and one of a group. */

const GROUP = 'group-family';

export async function terminalFarEnd(): Promise<FarEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-terminal-'));
  const socketPath = join(folder, 'cli.sock');
  const taken = new Set<string>();
  const shown = new Map<string, Shown & { data: string[] }>();
  const open: object[] = [];
  let watching = 0;
  let socket: Socket | undefined;
  let count = 0;

  function see(frame: ServerFrame): void {
    if (frame.type === 'accepted') taken.add(frame.id);
    if (frame.type === 'watching') watching += 1;
    if (frame.type === 'edited') {
      const known = shown.get(frame.id);
      if (known) shown.set(frame.id, { ...known, text: frame.text });
    }
    if (frame.type !== 'message' && frame.type !== 'card') return;
    const { id, text, files, chat = 'local', thread = null } = frame;
    const buttons = frame.type === 'card' ? frame.buttons : [];
    shown.set(id, {
      chat,
      thread,
      text: frame.type === 'card' ? `${frame.title}\n${frame.body}` : text,
      buttons: buttons.map(({ label }) => label),
      data: buttons.map(({ data }) => data),
      files,
    });
  }

  async function send(frame: object): Promise<void> {
    if (socket && !socket.destroyed) await sendLine(socket, frame);
  }

  return {
    chats: { dm: 'local', group: GROUP, thread: 'plans' },
    settings: { SOCKET: socketPath },
    async ready() {
      socket?.destroy();
      const before = watching;
      const opened = await connectUnix(socketPath);
      if (!opened) throw new Error('Nobody listens.');
      socket = opened;
      opened.on('error', () => {});
      readLines(opened, 4 * 1024 * 1024, {
        line: (text) => see(ServerFrame.parse(parseLine(text))),
        overflow: () => {},
      });
      for (const chat of ['local', GROUP]) await send({ type: 'watch', id: chat, chat });
      await until(() => watching === before + 2);
      // What was not taken is sent again, as every client does.
      for (const frame of open.filter((one) => 'id' in one && !taken.has(String(one.id)))) await send(frame);
    },
    async post({ chat, thread, sender, text, mention, answers, id = `t${++count}` }) {
      const frame = {
        type: 'message',
        id,
        text: mention ? `@bot ${text}` : text,
        chat,
        ...(answers !== undefined && { replyTo: { id: answers } }),
        ...(thread !== undefined && { thread }),
        ...(sender !== 'ann' && { user: sender }),
      };
      open.push(frame);
      await send(frame);
      return id;
    },
    async repeat(id) {
      await send(open.find((one) => 'id' in one && one.id === id) ?? {});
    },
    async press(chat, label) {
      const [card, held] = [...shown].findLast(([, one]) => one.buttons?.includes(label)) ?? [];
      const data = held?.data[held.buttons?.indexOf(label) ?? 0];
      await send({ type: 'press', id: `p${++count}`, card, data, chat });
    },
    shown: () => [...shown.values()].map(({ data: _, ...one }) => one),
    async close() {
      socket?.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
