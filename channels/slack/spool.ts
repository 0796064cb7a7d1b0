import { mkdirSync } from 'node:fs';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../src/log/index.ts';

/**
 * Events that have come and that the host has not taken yet, a file each: what a crash leaves here is handed over after it.
 * Slack itself brings an event four times in six minutes and then never again.
 */
export interface Spool {
  /** Resolves when it is durable, with the name of it. */
  put(payload: unknown): Promise<string>;
  drop(name: string): Promise<void>;
  /** The oldest first. */
  left(): Promise<{ name: string; payload: unknown; at: number }[]>;
}

const NAME = /^(\d{15})-\d+-\d+\.json$/;

export function createSpool(folder: string, log: Logger): Spool {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let count = 0;

  async function synced(path: string, flags: string, content?: string): Promise<void> {
    await using file = await open(path, flags, 0o600);
    if (content !== undefined) await file.writeFile(content);
    await file.sync();
  }

  return {
    async put(payload) {
      count += 1;
      const at = String(Date.now()).padStart(15, '0');
      const name = `${at}-${process.pid}-${count}.json`;
      await synced(join(folder, name), 'wx', JSON.stringify(payload));
      await synced(folder, 'r');
      return name;
    },
    drop: (name) => rm(join(folder, name), { force: true }),
    async left() {
      const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort(byAge);
      const found = await Promise.all(
        names.map(async (name) => {
          const at = Number(NAME.exec(name)?.[1]);
          const payload = parsed(await readFile(join(folder, name), 'utf8').catch(() => ''));
          if (payload !== undefined) return [{ name, payload, at }];
          // Torn by a crash, and so never acknowledged.
          log.warn('an event on the disk can not be read', { name });
          await rm(join(folder, name), { force: true });
          return [];
        }),
      );
      return found.flat();
    },
  };
}

function byAge(one: string, other: string): number {
  const parts = (name: string) => name.split(/[-.]/).map(Number);
  const [[at = 0, , count = 0], [otherAt = 0, , otherCount = 0]] = [parts(one), parts(other)];
  return at - otherAt || count - otherCount;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
