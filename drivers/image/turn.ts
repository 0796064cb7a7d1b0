/** One build at a time: the host, `ncl` and the setup may all want the image made. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { isBusy } from '../../src/db/connection.ts';

const LOOK_MS = 250;

/** Resolves when nobody else of this install is at it, with what ends this turn; so does the end of the process. */
export async function ownTurn(stateDir: string): Promise<() => void> {
  mkdirSync(stateDir, { recursive: true });
  const lock = new DatabaseSync(path.join(stateDir, 'image.lock'), { timeout: 0 });
  for (;;) {
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return () => lock.close();
    } catch (error) {
      if (!isBusy(error)) {
        lock.close();
        throw error;
      }
    }
    await delay(LOOK_MS);
  }
}
