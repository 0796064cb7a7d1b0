import type { DatabaseSync } from 'node:sqlite';
import { parseRule } from '@nanoclaw/vault';
import { cleanSelection, selectionProblem } from '../../assistant/instructions/skills/selection.ts';
import { PART_LIMITS } from '../../assistant/instructions/text.ts';
import { createRedactor } from '../../src/log/redact.ts';
import { isTimezone } from '../timezone.ts';
import type { HistoryScope } from './history-scopes.ts';
import type { CliScope } from './index.ts';
import { type ModelWishes, modelProblem } from './model.ts';

/**
 * null, or empty: what is set for the whole install, or the provider's own. Names and models count from the next turn on, the
 * rest from the next start of each of the agent's sandboxes.
 */
export interface ConfigChanges extends ModelWishes {
  assistantName?: string;
  timezone?: string;
  maxMessagesPerPrompt?: number;
  egress?: 'public' | 'none';
  egressAllow?: readonly string[];
  cliScope?: CliScope;
  history?: HistoryScope;
  /** What it is told, beside what every agent is. */
  instructions?: string;
  /** `automatic`, `all`, `none`, or names with commas. */
  skills?: string;
}

const withoutKeys = createRedactor(() => []);

/** What has been checked. Inside a transaction. */
export function writeConfig(db: DatabaseSync, id: string, changes: ConfigChanges, at: string): void {
  const columns: Record<string, string | number | null | undefined> = {
    provider: changes.provider === null ? '' : changes.provider,
    model: changes.model === '' ? null : changes.model,
    effort: changes.effort === '' ? null : changes.effort,
    assistant_name: changes.assistantName,
    timezone: changes.timezone,
    max_messages_per_prompt: changes.maxMessagesPerPrompt,
    cli_scope: changes.cliScope,
    history: changes.history,
    egress: changes.egress,
    egress_allow: changes.egressAllow && JSON.stringify(changes.egressAllow),
    instructions: changes.instructions?.trim(),
    skills: changes.skills === undefined ? undefined : cleanSelection(changes.skills),
  };
  const given = Object.entries(columns).filter(
    (entry): entry is [string, string | number | null] => entry[1] !== undefined,
  );
  if (given.length === 0) return;
  const assignments = given.map(([column]) => `${column} = ?`).join(', ');
  db.prepare(`UPDATE container_configs SET ${assignments}, updated_at = ? WHERE agent_group_id = ?`).run(
    ...given.map(([, value]) => value),
    at,
    id,
  );
}

/** One sentence, or undefined. `skillNames`: those that there are. */
export function configProblem(changes: ConfigChanges, skillNames: () => readonly string[]): string | undefined {
  const { timezone, maxMessagesPerPrompt: most, egressAllow, instructions, skills } = changes;
  const problem = modelProblem(changes);
  if (problem) return problem;
  if (timezone !== undefined && !isTimezone(timezone)) {
    return `There is no time zone ${JSON.stringify(timezone.slice(0, 64))}; an example is Europe/Berlin.`;
  }
  if (most !== undefined && !(Number.isInteger(most) && most >= 1 && most <= 100)) {
    return 'A prompt holds 1 to 100 messages.';
  }
  const rule = egressAllow?.find((one) => parseRule(one) === undefined);
  if (rule !== undefined) return `${JSON.stringify(rule.slice(0, 80))} is no rule: host, host:port or host:*.`;
  if (skills !== undefined) {
    const wrong = selectionProblem(cleanSelection(skills), skillNames());
    if (wrong) return wrong;
  }
  return instructions === undefined ? undefined : instructionsProblem(instructions);
}

function instructionsProblem(text: string): string | undefined {
  const bytes = Buffer.byteLength(text.trim());
  if (bytes > PART_LIMITS.own) {
    return `What an agent is told has at most ${PART_LIMITS.own} bytes; this has ${bytes}. Put what is long into a file of its folder, and name that here.`;
  }
  if (/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/u.test(text))
    return 'What an agent is told holds a control character, or a mark that turns the direction of writing.';
  return withoutKeys(text) === text
    ? undefined
    : 'There is what looks like a key in it, and the agent could read it: put a placeholder there.';
}
