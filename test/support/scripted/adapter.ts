import { existsSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { isoTime, MAX_ATTACHMENT_BYTES, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import { parseLine, readLines, sendLine } from '../../../cli/sockets/lines.ts';
import type { ChannelAdapter, ChannelHost, DeliveryResult, InboundAttachment } from '../../../src/channels/adapter.ts';
import { scratchFolder } from '../scratch.ts';
import { ToAdapter, type ToPlatform } from './frames.ts';

export const SCRIPTED_CHANNEL = 'scripted';

/** A channel whose platform is the test: it lives on when this host is killed, and sends again what was not taken. */
export function createScriptedAdapter(
  socketPath: string,
  channelType = SCRIPTED_CHANNEL,
  { edits = false } = {},
): ChannelAdapter {
  const calls = new Map<number, (result: DeliveryResult) => void>();
  let count = 0;
  let socket: Socket | undefined;
  let host: ChannelHost | undefined;

  const send = (frame: ToPlatform): void => {
    if (socket && !socket.destroyed) void sendLine(socket, frame);
  };

  async function receive(line: string): Promise<void> {
    const frame = ToAdapter.parse(parseLine(line));
    if (frame.type === 'receipt') {
      calls.get(frame.call)?.(frame.result as DeliveryResult);
      calls.delete(frame.call);
      return;
    }
    if (frame.type === 'back') return host?.available(channelType);
    if (frame.type !== 'event') {
      await note(frame);
      return send({ type: 'noted', call: frame.call });
    }
    const acceptance = await host?.accept({
      channelType,
      platformId: frame.chat,
      threadId: frame.thread,
      platformMessageId: frame.id,
      senderId: frame.sender,
      senderName: frame.sender,
      text: frame.text,
      timestamp: isoTime(Date.now()),
      isMention: true,
      isGroup: false,
      ...(frame.file && { attachments: [download(frame.file)] }),
    });
    if (acceptance) send({ type: 'acceptance', id: frame.id, acceptance: { ...acceptance } });
  }

  async function note(frame: Extract<ToAdapter, { type: 'changed' | 'reacted' | 'membership' }>): Promise<void> {
    const place = { channelType, platformId: frame.chat, threadId: null };
    if (frame.type === 'membership') {
      const { joined, name } = frame;
      return host?.membership?.({ ...place, joined, isGroup: true, ...(name !== undefined && { chatName: name }) });
    }
    const message = { ...place, platformMessageId: frame.id, senderId: frame.sender };
    if (frame.type === 'changed') return host?.changed?.({ ...message, text: frame.text });
    return host?.reacted?.({ ...message, emoji: frame.emoji, on: frame.on });
  }

  return {
    channelType,
    capabilities: {
      threads: true,
      maxTextLength: MAX_TEXT_BYTES,
      buttons: false,
      edits,
      idempotencyKey: true,
      maxFileBytes: MAX_ATTACHMENT_BYTES,
    },
    async start(channelHost) {
      host = channelHost;
      const opened = connect(socketPath);
      await new Promise<void>((resolve, reject) => opened.once('connect', resolve).once('error', reject));
      opened.on('error', () => {});
      readLines(opened, 4 * 1024 * 1024, { line: (text) => void receive(text), overflow: () => opened.destroy() });
      // Whoever asked before the line broke gets no answer any more.
      opened.once('close', () => {
        for (const answer of calls.values()) answer({ status: 'failed', retryable: true, error: 'The line broke.' });
        calls.clear();
      });
      socket = opened;
    },
    async stop() {
      socket?.destroy();
    },
    // One that lost its platform is begun anew by whoever keeps it going.
    health: () => ({ state: socket && !socket.destroyed ? 'connected' : 'failed' }),
    deliver(message) {
      if (!socket || socket.destroyed) {
        return Promise.resolve({ status: 'failed', retryable: true, offline: true, error: 'The platform is away.' });
      }
      const gone = message.files.find(({ path }) => !existsSync(path));
      if (gone) return Promise.resolve({ status: 'failed', retryable: true, error: `${gone.name} is gone.` });
      count += 1;
      const call = count;
      return new Promise<DeliveryResult>((resolve) => {
        calls.set(call, resolve);
        const { inReplyTo, edits: replaces, ...rest } = message;
        send({
          type: 'deliver',
          call,
          message: {
            ...rest,
            files: message.files.map((file) => ({ ...file, name: file.name.replace(/[\r\n]+/g, ' ') })),
            ...(inReplyTo !== undefined && { inReplyTo }),
            ...(replaces !== undefined && { edits: replaces }),
          },
        });
      });
    },
    typing: (chat, _thread, on) => send({ type: 'typing', chat, on }),
    settled: (chat, id, outcome) => send({ type: 'settled', chat, id, outcome }),
  };
}

/** Where an adapter keeps what it has fetched: the host's scratch, which the next host empties. */
function download({ name, text }: { name: string; text: string }): InboundAttachment {
  const localPath = join(scratchFolder('download-'), name);
  writeFileSync(localPath, text);
  return { type: 'file', name, localPath };
}
