import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { z } from 'zod';

/** What a group is told and which skills it has, as it is kept. */

export interface GroupSettings {
  /** By those who look after it. */
  instructions: string;
  /** As `skills/selection.ts` reads it. */
  skills: string;
  hasNcl: boolean;
}

export interface GroupSettingsTable {
  get(agentGroupId: string): GroupSettings;
  /** Families of the channels on which it listens or may send: `telegram`, whatever the account is called. */
  channels(agentGroupId: string): ReadonlySet<string>;
  /** Sentences by skill. */
  told(agentGroupId: string): Readonly<Record<string, string>>;
  setTold(agentGroupId: string, told: Readonly<Record<string, string>>, now: number): void;
}

const Row = z
  .object({ instructions: z.string(), skills: z.string(), cli_scope: z.string() })
  .transform(({ cli_scope, ...row }): GroupSettings => ({ ...row, hasNcl: cli_scope !== 'disabled' }));
const Told = z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text)));

export function createGroupSettings(db: DatabaseSync): GroupSettingsTable {
  const get = db.prepare('SELECT instructions, skills, cli_scope FROM container_configs WHERE agent_group_id = ?');
  const told = db.prepare('SELECT skills_told FROM container_configs WHERE agent_group_id = ?');
  const setTold = db.prepare('UPDATE container_configs SET skills_told = ?, updated_at = ? WHERE agent_group_id = ?');
  const channels = db.prepare(
    `SELECT DISTINCT ifnull(i.channel, m.channel_type) AS channel
     FROM messaging_groups m LEFT JOIN channel_instances i ON i.instance = m.channel_type
     WHERE m.id IN (SELECT messaging_group_id FROM messaging_group_agents WHERE agent_group_id = ?1 UNION
       SELECT target_id FROM agent_destinations WHERE agent_group_id = ?1 AND target_type = 'channel')`,
  );
  return {
    get: (id) => Row.parse(get.get(id)),
    // A second terminal is no account.
    channels: (id) =>
      new Set(channels.all(id).map(({ channel }) => String(channel).replace(/^terminal-\d$/, 'terminal'))),
    told: (id) => Told.parse(told.get(id)?.skills_told),
    setTold(id, sentences, now) {
      setTold.run(JSON.stringify(sentences), isoTime(now), id);
    },
  };
}
