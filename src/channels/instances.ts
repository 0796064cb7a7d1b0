import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';

/** Accounts on platforms: the table `channel_instances`, and the small values that their adapters remember. */

export interface Instance {
  /** Also the channel type of its chats. */
  instance: string;
  channel: string;
  /** The folder of a package that isn't one of ours. */
  source: string | null;
  enabled: boolean;
}

export interface Instances {
  list(): readonly Instance[];
  get(instance: string): Instance | undefined;
  /** Inside a transaction, as all that change. */
  add(instance: Instance, now: number): void;
  enable(instance: string, enabled: boolean): void;
  /** Enabled, and from that package. */
  renew(instance: string, source: string | null): void;
  remove(instance: string): void;
  recall(instance: string, key: string): string | undefined;
  /** Durable when it returns, outside of a transaction. */
  remember(instance: string, key: string, value: string): void;
}

export function createInstances(db: DatabaseSync): Instances {
  const all = db.prepare('SELECT * FROM channel_instances ORDER BY created_at, rowid');
  const one = db.prepare('SELECT * FROM channel_instances WHERE instance = ?');
  const add = db.prepare(
    'INSERT INTO channel_instances (instance, channel, source, enabled, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  const enable = db.prepare('UPDATE channel_instances SET enabled = ? WHERE instance = ?');
  const renew = db.prepare('UPDATE channel_instances SET enabled = 1, source = ? WHERE instance = ?');
  const forget = db.prepare('DELETE FROM channel_values WHERE instance = ?');
  const remove = db.prepare('DELETE FROM channel_instances WHERE instance = ?');
  const recall = db.prepare('SELECT value FROM channel_values WHERE instance = ? AND key = ?');
  const remember = db.prepare(
    `INSERT INTO channel_values (instance, key, value) VALUES (?, ?, ?)
     ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value`,
  );
  return {
    list: () => all.all().map(toInstance),
    get(instance) {
      const row = one.get(instance);
      return row && toInstance(row);
    },
    add({ instance, channel, source, enabled }, now) {
      add.run(instance, channel, source, enabled ? 1 : 0, isoTime(now));
    },
    enable(instance, enabled) {
      enable.run(enabled ? 1 : 0, instance);
    },
    renew(instance, source) {
      renew.run(source, instance);
    },
    remove(instance) {
      forget.run(instance);
      remove.run(instance);
    },
    recall: (instance, key) => recall.get(instance, key)?.value?.toString(),
    remember(instance, key, value) {
      remember.run(instance, key, value);
    },
  };
}

function toInstance(row: Record<string, unknown>): Instance {
  return {
    instance: String(row.instance),
    channel: String(row.channel),
    source: row.source === null ? null : String(row.source),
    enabled: row.enabled === 1,
  };
}
