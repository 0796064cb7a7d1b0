import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ContainerConfig } from '@nanoclaw/protocol';
import type { Audit } from '../../src/audit/index.ts';
import type { Composing } from '../../src/composing.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session } from '../../src/db/sessions.ts';
import { NanoError } from '../../src/errors.ts';
import { type AgentGroup, getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { Models } from '../model/index.ts';
import { withModel, writeConfig, writeInstructions } from './group-folder.ts';
import { createGroupSettings } from './group-settings.ts';
import { createLeftOutSkills } from './left-out.ts';
import { chooseSkills, placeSkills, skillPlaces } from './skills/index.ts';
import { createSwitching, type SwitchingParts } from './switching.ts';
import { instructionText } from './text.ts';

/** What each sandbox finds in /app/group, composed at its start; and what of it changes while it runs. */

export interface InstructionsParts extends Omit<SwitchingParts, 'models'> {
  /** The checkout. */
  code: string;
  paths: { root: string };
  db: DatabaseSync;
  messages: Pick<Messages, 'asked'>;
  takeOver: Pick<TakeOver, 'say'>;
  audit: Audit;
  deliver(messageIds: readonly string[]): void;
}

export interface Instructions extends Composing {
  /** An agent's name, provider, model or effort, or those of a conversation of its: what runs follows. After the commit. */
  changed(agentGroupId: string): void;
  /** Now and then. */
  look(): void;
}

export function createInstructions(parts: InstructionsParts & { models: Models }): Instructions {
  const { db, code, models } = parts;
  const settings = createGroupSettings(db);
  const places = skillPlaces(code, parts.paths.root);
  const leftOutSkills = createLeftOutSkills({ ...parts, settings });
  const switching = createSwitching(parts);
  const shipped = (path: string) => readFileSync(join(code, 'container', path), 'utf8');

  return {
    provider: (session) => models.inForce(session.agentGroupId, session.id).provider.value,
    compose(folder, session, { shared, leftOut, provider, providerEnv, memoryBytes }) {
      // It may have been changed while this waited.
      const agent = getAgentGroup(db, session.agentGroupId);
      if (!agent) throw new NanoError('NC_INTERNAL', `Agent ${session.agentGroupId} is gone.`);
      const { instructions, skills: selection, hasNcl } = settings.get(agent.id);
      const chosen = chooseSkills(places, selection, settings.channels(agent.id));
      const started = ContainerConfig.parse({
        ...settingsOf(agent, session),
        provider,
        providerEnv,
        memoryBytes,
        folders: shared.map(({ name }) => name).sort(),
        skills: chosen.skills.map(({ name }) => name),
      });
      const force = models.inForce(agent.id, session.id);
      writeConfig(folder, force.provider.value === provider ? withModel(started, force) : started);
      writeInstructions(
        folder,
        instructionText({
          base: shipped('CLAUDE.md'),
          tools: [...(hasNcl ? ['ncl.md'] : []), 'tasks.md'].map((name) => shipped(join('instructions', name))),
          own: instructions,
          shared,
          leftOut,
          servers: agent.mcpServers,
          skills: chosen.skills,
        }),
      );
      placeSkills(join(folder, 'skills'), chosen.skills);
      leftOutSkills.tell(session, chosen.leftOut, Date.now());
      if (force.provider.value !== provider) switching.changed(agent.id);
    },
    changed: switching.changed,
    look: switching.look,
  };
}

function settingsOf(agent: AgentGroup, session: Session) {
  const { id, name, assistantName, timezone, maxMessagesPerPrompt, mcpServers } = agent;
  const sorted = Object.fromEntries(Object.entries(mcpServers).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    agentGroupId: id,
    sessionId: session.id,
    groupName: name,
    assistantName,
    timezone,
    maxMessagesPerPrompt,
    mcpServers: sorted,
  };
}
