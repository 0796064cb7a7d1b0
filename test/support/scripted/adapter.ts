import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isoTime, MAX_ATTACHMENT_BYTES, MAX_TEXT_BYTES } from '@nanoclaw/protocol';
import type { ChannelAdapter, ChannelHost, DeliveryResult, InboundAttachment } from '../../../src/channels/adapter.ts';
import { parseLine, readLines, sendLine } from '../../../src/sockets/lines.ts';
import { ToAdapter, type ToPlatform } from './frames.ts';

export const SCRIPTED_CHANNEL = 'scripted';

/** A channel whose platform is the test: it lives on when this host is killed, and sends again what was not taken. */
export function createScriptedAdapter(socketPath: string): ChannelAdapter {
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
    if (frame.type === 'back') return host?.available(SCRIPTED_CHANNEL);
    const acceptance = await host?.accept({
      channelType: SCRIPTED_CHANNEL,
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

  return {
    channelType: SCRIPTED_CHANNEL,
    capabilities: {
      threads: true,
      maxTextLength: MAX_TEXT_BYTES,
      buttons: false,
      edits: false,
      idempotencyKey: true,
      maxFileBytes: MAX_ATTACHMENT_BYTES,
    },
    async start(channelHost) {
      host = channelHost;
      const opened = connect(socketPath);
      await new Promise<void>((resolve, reject) => opened.once('connect', resolve).once('error', reject));
      opened.on('error', () => {});
      readLines(opened, 4 * 1024 * 1024, { line: (text) => void receive(text), overflow: () => opened.destroy() });
      socket = opened;
    },
    async stop() {
      socket?.destroy();
    },
    deliver(message) {
      if (!socket || socket.destroyed) {
        return Promise.resolve({ status: 'failed', retryable: true, offline: true, error: 'The platform is away.' });
      }
      count += 1;
      const call = count;
      return new Promise<DeliveryResult>((resolve) => {
        calls.set(call, resolve);
        const { inReplyTo, ...rest } = message;
        send({
          type: 'deliver',
          call,
          message: { ...rest, files: [...message.files], ...(inReplyTo !== undefined && { inReplyTo }) },
        });
      });
    },
    typing: (chat, _thread, on) => send({ type: 'typing', chat, on }),
    settled: (chat, id, outcome) => send({ type: 'settled', chat, id, outcome }),
  };
}

/** Where an adapter keeps what it has fetched: the host's scratch, which the next host empties. */
function download({ name, text }: { name: string; text: string }): InboundAttachment {
  const localPath = join(mkdtempSync(join(tmpdir(), 'download-')), name);
  writeFileSync(localPath, text);
  return { type: 'file', name, localPath };
}
