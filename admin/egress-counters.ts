import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { EgressRecord } from '@nanoclaw/vault';
import { transaction } from '../src/db/group-commit.ts';
import type { Logger } from '../src/log/index.ts';

/** What agents asked of the network: counters by host and day, since each request as a row would be a flood. */
export interface EgressCounters {
  add(record: EgressRecord): void;
  /** Writes what has come together. */
  flush(): void;
}

interface Counter {
  record: EgressRecord;
  count: number;
  at: string;
}

/** Names an agent may make up in one interval; beyond it they are counted together. */
const NAMES_PER_FLUSH = 500;

export function createEgressCounters(db: DatabaseSync, log: Logger): EgressCounters {
  const counters = new Map<string, Counter>();
  const write = db.prepare(
    `INSERT INTO egress_counters (agent_group_id, host, port, allowed, day, count, last_at, sample_reason)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET count = count + excluded.count, last_at = excluded.last_at,
       sample_reason = excluded.sample_reason`,
  );
  return {
    add(record) {
      const known = JSON.stringify([record.agentGroupId, record.host, record.port, record.allowed]);
      const full = counters.size >= NAMES_PER_FLUSH && !counters.has(known);
      const kept = full ? { ...record, host: '(others)', port: 0 } : record;
      const key = full ? JSON.stringify([record.agentGroupId, 'others', record.allowed]) : known;
      const counter = counters.get(key);
      if (!counter && !full) {
        log.info(record.allowed ? 'egress' : 'egress refused', { ...record });
      }
      counters.set(key, { record: kept, count: (counter?.count ?? 0) + 1, at: isoTime(Date.now()) });
    },
    flush() {
      if (counters.size === 0) return;
      const all = [...counters.values()];
      transaction(db, () => {
        for (const { record, count, at } of all) {
          const { agentGroupId, host, port, allowed, reason } = record;
          write.run(
            agentGroupId,
            host.slice(0, 255),
            port,
            allowed ? 1 : 0,
            at.slice(0, 10),
            count,
            at,
            reason ?? null,
          );
        }
      });
      counters.clear();
    },
  };
}
