import type { Command } from '../definition.ts';
import { approvals } from '../resources/approvals.ts';
import { budgets } from '../resources/budgets.ts';
import { channels } from '../resources/channels.ts';
import { chats } from '../resources/chats.ts';
import { deadLetters } from '../resources/dead-letters.ts';
import { destinations } from '../resources/destinations.ts';
import { groups } from '../resources/groups.ts';
import { groupsConfig } from '../resources/groups-config.ts';
import { history } from '../resources/history.ts';
import { people } from '../resources/people.ts';
import { records } from '../resources/records.ts';
import { sessions } from '../resources/sessions.ts';
import { skills } from '../resources/skills.ts';
import { tasks } from '../resources/tasks.ts';
import { wirings } from '../resources/wirings.ts';
import { auditList, auditVerify } from './audit.ts';
import { backup, restore } from './backup.ts';
import { chat } from './chat.ts';
import { doctor, doctorHost } from './doctor.ts';
import { help } from './help.ts';
import { housekeeping } from './housekeeping.ts';
import { initFirstAgent } from './init-first-agent.ts';
import { logs } from './logs.ts';
import { mountsAdd, mountsCheck, mountsList, mountsRemove } from './mounts.ts';
import { ownerCode } from './owner-code.ts';
import { restart } from './restart.ts';
import { runtime, runtimeUse } from './runtime.ts';
import { serviceInstall, serviceStatus, serviceUninstall } from './service.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { stop, stopHost } from './stop.ts';
import { trace } from './trace.ts';
import { usage } from './usage.ts';
import { version } from './version.ts';
import { why } from './why.ts';

/** Every command, in the order of help. */
export const commands: readonly Command[] = [
  start,
  stop,
  restart,
  status,
  doctor,
  chat,
  logs,
  trace,
  why,
  ...sessions,
  ...groups,
  ...groupsConfig,
  ...skills,
  ...chats,
  ...wirings,
  ...people,
  ...destinations,
  ...channels,
  ...deadLetters,
  ...approvals,
  ...tasks,
  usage,
  ...budgets,
  history,
  ...records,
  mountsList,
  mountsCheck,
  mountsAdd,
  mountsRemove,
  auditList,
  auditVerify,
  initFirstAgent,
  ownerCode,
  housekeeping,
  backup,
  restore,
  serviceInstall,
  serviceStatus,
  serviceUninstall,
  runtime,
  runtimeUse,
  version,
  help,
  doctorHost,
  stopHost,
];
