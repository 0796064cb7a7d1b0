import type { DatabaseSync } from 'node:sqlite';
import { skillNames, skillPlaces } from '../assistant/instructions/skills/index.ts';
import type { Audit } from '../src/audit/index.ts';
import type { Acceptance, ChannelAdapter, InboundEvent } from '../src/channels/adapter.ts';
import type { ContainerRunner } from '../src/container-runner.ts';
import type { Deliveries } from '../src/db/deliveries.ts';
import type { GroupCommit } from '../src/db/group-commit.ts';
import type { Messages } from '../src/db/messages.ts';
import type { Session, Sessions } from '../src/db/sessions.ts';
import type { ErrorCode } from '../src/errors.ts';
import type { Logger } from '../src/log/index.ts';
import type { Paths } from '../src/paths.ts';
import type { Roles } from '../src/people/roles.ts';
import type { Words } from '../src/router.ts';
import type { Wirings } from '../src/routing/wirings.ts';
import type { Effects, TakeOver } from '../src/take-over/index.ts';
import { createCallers } from './agent-door/callers.ts';
import { type AgentCommands, createAgentDoor } from './agent-door/index.ts';
import { type Approvals, createApprovals } from './approvals/index.ts';
import { createDirectory, type Directory } from './directory/index.ts';
import { createOwnerWords } from './people/owner-words.ts';
import { createRename } from './people/rename.ts';

/** Who may do what, and how that is changed: by `ncl`, by words in a chat, by a decision that somebody was asked for. */

export interface AdministrationParts {
  /** The checkout. */
  code: string;
  db: DatabaseSync;
  commit: GroupCommit;
  roles: Roles;
  table: Wirings;
  audit: Audit;
  paths: Paths;
  sessions: Sessions;
  messages: Messages;
  deliveries: Deliveries;
  takeOver: TakeOver;
  runner: Pick<ContainerRunner, 'list' | 'stop' | 'forget'>;
  /** What an agent's commands run. */
  commands(): AgentCommands;
  adapter(channelType: string): ChannelAdapter | undefined;
  /** What the agent's sandboxes run with is another now. */
  settingsChanged(agentGroupId: string): void;
  perform(session: Session, effects: Effects): void;
  /** inbound.db, for a sandbox that runs. */
  publish(sessionId: string): void;
  /** The same, and a sandbox for it. */
  wake(sessionId: string): void;
  deliver(messageIds: readonly string[]): void;
  /** What waited is handed on as if it had just come. */
  accept(event: InboundEvent): Promise<Acceptance>;
  noRoom(): ErrorCode | undefined;
  env(): Readonly<Record<string, string | undefined>>;
  log: Logger;
}

export interface Administration {
  callers: ReturnType<typeof createCallers>;
  agentDoor: ReturnType<typeof createAgentDoor>;
  directory: Directory;
  approvals: Approvals;
  /** What people say to the host, in the order in which it is asked whether it is that. */
  words: readonly Words[];
}

export function createAdministration(parts: AdministrationParts): Administration {
  const { db, roles, paths } = parts;
  const callers = createCallers(db, roles);
  const directory = createDirectory({
    ...parts,
    channelHasThreads: (channelType) => parts.adapter(channelType)?.capabilities.threads ?? false,
    skillNames: () => skillNames(skillPlaces(parts.code, paths.root)),
    endApprovals: (ids, now) => approvals.close(ids, now),
  });
  const approvals = createApprovals({ ...parts, directory, folder: paths.held });
  approvals.register({
    kind: 'ncl',
    perform: (action, { id }, decidedBy, now) => parts.commands().perform(action, { id, decidedBy }, now),
  });
  const ownerWords = createOwnerWords({ ...parts, directory, begin: ({ id }) => parts.wake(id) });

  return {
    callers,
    agentDoor: createAgentDoor({ ...parts, callers }),
    directory,
    approvals,
    words: [ownerWords, approvals.words, createRename({ ...parts, directory })],
  };
}
