import type { Command } from '../definition.ts';
import { backup, restore } from './backup.ts';
import { chat } from './chat.ts';
import { doctor, doctorHost } from './doctor.ts';
import { groupsConfigGet, groupsConfigUpdate } from './groups-config.ts';
import { groupsList } from './groups-list.ts';
import { help } from './help.ts';
import { housekeeping } from './housekeeping.ts';
import { initFirstAgent } from './init-first-agent.ts';
import { logs } from './logs.ts';
import { restart } from './restart.ts';
import { serviceInstall, serviceStatus, serviceUninstall } from './service.ts';
import { sessionsGet } from './sessions-get.ts';
import { sessionsList } from './sessions-list.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { stop, stopHost } from './stop.ts';
import { trace } from './trace.ts';
import { version } from './version.ts';

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
  sessionsList,
  sessionsGet,
  groupsList,
  groupsConfigGet,
  groupsConfigUpdate,
  initFirstAgent,
  housekeeping,
  backup,
  restore,
  serviceInstall,
  serviceStatus,
  serviceUninstall,
  version,
  help,
  doctorHost,
  stopHost,
];
