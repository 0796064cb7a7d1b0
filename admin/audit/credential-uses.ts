import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import type { CredentialUse } from '@nanoclaw/vault';
import type { Audit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';

/** That an agent group's requests got a credential: once for each host and hour, since each request as a row would be a flood. */
export interface CredentialUses {
  add(use: CredentialUse): void;
  /** Writes what is new. */
  flush(): void;
}

const HOUR_MS = 3_600_000;

export function createCredentialUses(db: DatabaseSync, audit: Audit): CredentialUses {
  let hour = 0;
  const seen = new Set<string>();
  const waiting = new Map<string, CredentialUse & { at: number }>();
  // By an earlier host of this hour.
  const noted = db.prepare(
    `SELECT 1 FROM audit_log WHERE subject = ? AND action = 'credential.used' AND at >= ? AND detail ->> 'host' = ? LIMIT 1`,
  );
  return {
    add({ agentGroupId, host }) {
      const at = Date.now();
      if (hour !== Math.floor(at / HOUR_MS)) seen.clear();
      hour = Math.floor(at / HOUR_MS);
      const key = `${agentGroupId} ${host}`;
      if (seen.has(key)) return;
      seen.add(key);
      waiting.set(key, { agentGroupId, host, at });
    },
    flush() {
      if (waiting.size === 0) return;
      transaction(db, () => {
        for (const { agentGroupId, host, at } of waiting.values()) {
          if (noted.get(agentGroupId, isoTime(at - (at % HOUR_MS)), host)) continue;
          const actor = `agent:${agentGroupId}`;
          audit.record({ actor, action: 'credential.used', subject: agentGroupId, detail: { host } }, at);
        }
      });
      waiting.clear();
    },
  };
}
