import { copyFile, mkdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { truncateBytes } from '@nanoclaw/protocol';
import type { OutboundFile } from '../../src/channels/adapter.ts';

/**
 * Copies a message's files to where the person at the terminal finds them later, `<folder>/<message id>/<name>`. The
 * names come from an agent: nothing in them may lead anywhere else.
 */
export async function keepFiles(
  folder: string,
  messageId: string,
  files: readonly OutboundFile[],
): Promise<OutboundFile[]> {
  if (files.length === 0) return [];
  const target = resolve(folder, safeName(messageId));
  await mkdir(target, { recursive: true, mode: 0o700 });
  const taken = new Set<string>();
  const kept: OutboundFile[] = [];
  for (const file of files) {
    const name = freeName(safeName(file.name), taken);
    const path = join(target, name);
    await copyFile(file.path, path);
    kept.push({ name, path, size: file.size });
  }
  return kept;
}

/** One component, visible, printable, short enough for any file system. */
function safeName(name: string): string {
  const plain = name.toWellFormed().replace(/[\p{Cc}\p{Cf}/\\]/gu, '_');
  return truncateBytes(plain.replace(/^\.+/, '_'), 200) || 'file';
}

function freeName(name: string, taken: Set<string>): string {
  const extension = extname(name);
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number++) {
    free = `${name.slice(0, name.length - extension.length)}-${number}${extension}`;
  }
  taken.add(free.toLowerCase());
  return free;
}
