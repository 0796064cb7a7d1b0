import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Origin } from '@nanoclaw/protocol';
import type { Audit } from '../../src/audit/index.ts';
import type { ContainerRunner } from '../../src/container-runner.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Sessions } from '../../src/db/sessions.ts';
import type { Logger } from '../../src/log/index.ts';
import { dropTree } from '../../src/mailbox/drop-outbox.ts';
import type { Paths } from '../../src/paths.ts';
import type { Terms } from '../../src/routing/decide.ts';
import type { Wiring } from '../../src/routing/session-key.ts';
import type { TakeOver } from '../../src/take-over/index.ts';
import type { Result } from '../view.ts';
import { createAgents } from './agents.ts';
import { atomically, createChange } from './change.ts';
import { createChats } from './chats.ts';
import type { ConfigChanges } from './config.ts';
import { createEffects } from './effects.ts';
import type { ModelWishes } from './model.ts';
import { createPeople } from './people.ts';
import { createRemoval } from './removal.ts';
import { createSessionChanges, type SessionsParts } from './sessions.ts';
import { createSight } from './sight.ts';

/**
 * Everything that is done to people, chats, agents and what ties them, by `ncl` and by chat alike. Each change checks what it
 * is given, is one transaction with its entry in the audit log (or part of the caller's), and says what is wrong in a Result;
 * what follows it outside of the database (folders, sandboxes, inbound.db) runs after the commit.
 */

/** Whose doing it is. */
export interface By {
  /** A user id, `host`, or `agent:<agent group id>`. */
  actor: string;
  /** The one agent group that they may see and touch; null: everything. What is outside isn't there for them. */
  scope: string | null;
  /** For an agent: the users for whom it acts. What gives power over the machine is not for agents. */
  speakers?: readonly string[];
  /** More for the audit log, such as the approval that allowed it. */
  detail?: Readonly<Record<string, unknown>>;
}

export type { ConfigChanges } from './config.ts';

export interface NewAgentGroup {
  name: string;
  /** Below groups/; made of the name at first. */
  folder?: string;
  /** Default: that of the first agent. */
  provider?: string;
  timezone?: string;
  cliScope?: CliScope;
}

export const CLI_SCOPES = ['disabled', 'group', 'global'] as const;
export type CliScope = (typeof CLI_SCOPES)[number];

export interface McpServer {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** For the agent: what its tools are for. */
  instructions?: string;
}

export interface NewChat {
  channelType: string;
  platformId: string;
  name?: string;
  isGroup?: boolean;
  unknownSenderPolicy?: UnknownSenderPolicy;
}

export const SENDER_POLICIES = ['strict', 'request_approval', 'public'] as const;
export type UnknownSenderPolicy = (typeof SENDER_POLICIES)[number];

export interface ChatChanges {
  name?: string;
  unknownSenderPolicy?: UnknownSenderPolicy;
  /** Whether the bot may be asked into it at all; a refusal is remembered. */
  denied?: boolean;
}

export type WiringTerms = Terms & Pick<Wiring, 'sessionMode' | 'engagePattern' | 'exclusive'> & { priority: number };

export interface NewWiring extends Partial<WiringTerms> {
  messagingGroupId: string;
  agentGroupId: string;
}

export interface Grant {
  userId: string;
  role: 'owner' | 'admin';
  /** null: everywhere. */
  agentGroupId: string | null;
}

/** What would go with it, by kind: `sessions`, `messages`, … */
export type Hanging = Readonly<Record<string, number>>;

export interface Directory {
  /** What would go with it. The id is one that exists. */
  hanging(kind: 'group' | 'chat' | 'user' | 'wiring', id: string): Hanging;
  createAgentGroup(input: NewAgentGroup, by: By, now: number): Result<{ id: string; folder: string }>;
  renameAgentGroup(id: string, name: string, by: By, now: number): Result<null>;
  updateConfig(id: string, changes: ConfigChanges, by: By, now: number): Result<null>;
  addMcpServer(id: string, name: string, server: McpServer, by: By, now: number): Result<null>;
  removeMcpServer(id: string, name: string, by: By, now: number): Result<null>;
  /** With its sessions, their folders and messages, its wirings, members, destinations; the audit log stays. */
  deleteAgentGroup(id: string, by: By, now: number): Result<Hanging>;

  createChat(input: NewChat, by: By, now: number): Result<{ id: string }>;
  updateChat(id: string, changes: ChatChanges, by: By, now: number): Result<null>;
  deleteChat(id: string, by: By, now: number): Result<Hanging>;

  /** Makes its destination, too, under a name that is free. Terms that aren't given are those of design section 6. */
  wire(input: NewWiring, by: By, now: number): Result<{ id: string; destination: string }>;
  updateWiring(id: string, changes: Partial<WiringTerms>, by: By, now: number): Result<null>;
  /** Its sessions stay, with what was said. */
  unwire(id: string, by: By, now: number): Result<Hanging>;

  /** `<channel>:<handle>`. */
  createUser(id: string, displayName: string | null, by: By, now: number): Result<null>;
  renameUser(id: string, displayName: string, by: By, now: number): Result<null>;
  deleteUser(id: string, by: By, now: number): Result<Hanging>;
  grantRole(grant: Grant, by: By, now: number): Result<null>;
  revokeRole(grant: Grant, by: By, now: number): Result<null>;
  /** Ends a denial, too. */
  addMember(userId: string, agentGroupId: string, by: By, now: number): Result<null>;
  removeMember(userId: string, agentGroupId: string, by: By, now: number): Result<null>;
  denySender(userId: string, agentGroupId: string, by: By, now: number): Result<null>;
  undenySender(userId: string, agentGroupId: string, by: By, now: number): Result<null>;

  /** `targetId`: of a chat or of another agent group. */
  addDestination(
    agentGroupId: string,
    localName: string,
    targetId: string,
    by: By,
    now: number,
  ): Result<{ name: string }>;
  removeDestination(agentGroupId: string, localName: string, by: By, now: number): Result<null>;

  /** What it runs with, before what is set for its agent. From its next turn on. */
  updateSession(id: string, changes: ModelWishes, by: By, now: number): Result<null>;
  /** Where its last message came from. */
  origin(sessionId: string): Origin | undefined;
  /** Ends its sandbox; what is open goes on at the next start. */
  stopSession(id: string, by: By, now: number): Result<null>;
  /** Closes it: the next message begins a new one. What is open is ended. */
  resetSession(id: string, by: By, now: number): Result<Hanging>;
  /** Ends all the agent's sandboxes, or one session's; `message` is the first thing that they read when they start again. */
  restartAgentGroup(
    id: string,
    only: { sessionId?: string; message?: string },
    by: By,
    now: number,
  ): Result<{ sessions: number }>;

  /** What a change would say, without making it: it is undone at once. */
  rehearse<T>(change: () => Result<T>): Result<T>;
  /** When all that followed earlier changes is done. */
  settled(): Promise<void>;
  /** Takes up what an earlier host left in the middle: folders of sessions that are gone. */
  resume(): void;
}

export interface DirectoryParts {
  db: DatabaseSync;
  audit: Audit;
  paths: Pick<Paths, 'root' | 'groups' | 'sessions' | 'logs' | 'run'>;
  sessions: Sessions;
  messages: Messages;
  takeOver: TakeOver;
  channelHasThreads(channelType: string): boolean;
  /** What ended messages mean to their chats. After the commit. */
  perform: SessionsParts['perform'];
  runner: Pick<ContainerRunner, 'list' | 'stop' | 'forget'>;
  publish(sessionId: string): void;
  /** The agent's sandboxes that run hear what it is called and which model it has now. */
  settingsChanged(agentGroupId: string): void;
  /** Names of the skills that there are. */
  skillNames(): readonly string[];
  /** Those that nobody can decide any more. Inside a transaction. */
  endApprovals(ids: readonly string[], now: number): void;
  log: Pick<Logger, 'error'>;
}

const STOP_GRACE_MS = 3_000;

export function createDirectory(parts: DirectoryParts): Directory {
  const { db, paths, runner } = parts;
  const effects = createEffects(parts.log);
  const change = createChange(db, parts.audit);

  /** The others are handed theirs at their next start. */
  function destinationsChanged(agentGroupId: string): void {
    effects.later(() => {
      for (const one of runner.list()) if (one.agentGroupId === agentGroupId) parts.publish(one.sessionId);
    });
  }

  const sessions = createSessionChanges({
    ...parts,
    change,
    effects,
    running: runner.list,
    async stop(id, reason) {
      runner.forget(id);
      await runner.stop(id, reason === 'ended' ? 0 : STOP_GRACE_MS, reason);
    },
    async dropSession(id, agentGroupId) {
      await dropFolder(paths.sessions, [agentGroupId], id);
      rmSync(join(paths.run, id), { recursive: true, force: true });
      const logs = join(paths.logs, 'sessions');
      for (const name of namesIn(logs)) if (name.startsWith(`${id}.log`)) rmSync(join(logs, name), { force: true });
    },
  });
  const group = db.prepare('SELECT 1 FROM agent_groups WHERE id = ?');
  const sees = createSight(db);
  const gone = 'I was removed from here; what was still open is not answered.';

  return {
    ...createAgents({
      db,
      groups: paths.groups,
      change,
      effects,
      settingsChanged: (id) => effects.later(() => parts.settingsChanged(id)),
      skillNames: parts.skillNames,
    }),
    ...createChats({ ...parts, change, sees, destinationsChanged }),
    ...createPeople(db, change, sees),
    ...createRemoval({
      ...parts,
      change,
      destinationsChanged,
      endSession: (id, agentGroupId, now) => void sessions.end(id, agentGroupId, gone, now),
      dropFolders: (id, folders) =>
        effects.later(async () => {
          // Undone: it lives on.
          if (group.get(id)) return;
          for (const folder of folders) await dropFolder(dirname(folder), [], basename(folder));
        }),
    }),
    origin: sessions.origin,
    updateSession: sessions.updateSession,
    stopSession: sessions.stopSession,
    resetSession: sessions.resetSession,
    restartAgentGroup: sessions.restartAgentGroup,
    rehearse: (work) => effects.withhold(() => atomically(db, work, () => false)),
    settled: effects.settled,
    resume() {
      const known = db.prepare("SELECT 1 FROM sessions WHERE agent_group_id = ? AND id = ? AND status = 'active'");
      effects.later(async () => {
        for (const agent of namesIn(paths.sessions)) {
          const gone = group.get(agent)
            ? namesIn(join(paths.sessions, agent)).filter((id) => !known.get(agent, id))
            : [undefined];
          for (const id of gone) await dropFolder(paths.sessions, id === undefined ? [] : [agent], id ?? agent);
        }
      });
    },
  };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** A tree that is larger than one look takes several. */
async function dropFolder(root: string, parts: readonly string[], name: string): Promise<void> {
  for (let tries = 20; ; tries -= 1) {
    try {
      return await dropTree(root, parts, name);
    } catch (error) {
      if (tries === 0) throw error;
    }
  }
}
