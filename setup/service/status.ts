import type { Check } from '../../admin/view.ts';
import type { ClientContext } from '../../cli/definition.ts';
import { findHost } from '../../cli/host-process.ts';
import { endedAbruptly } from '../../cli/lease-holder.ts';
import { pairs } from '../../cli/table.ts';
import { errorText } from '../../src/errors.ts';
import { findManager, refuseForeign, whose } from './choose.ts';
import type { Survival } from './manager.ts';
import { planFor } from './plan.ts';
import { readStarts } from './starts.ts';

interface Health {
  healthy: boolean;
  /** A sentence without its full stop. */
  state: string;
}

export interface Seen {
  /** The service keeps a host running. */
  running: boolean;
  /** Of the process that the service looks after, and of the host that answers. */
  pid?: number | undefined;
  hostPid?: number | undefined;
  /** The last host did not end in order. */
  abruptly?: boolean;
  crashes: number;
  pauseLeft: number;
}

/** How an installed service is, from what was seen of it. */
export function judge({ running, pid, hostPid, abruptly, crashes, pauseLeft }: Seen): Health {
  const again = crashes > 1 ? `, after ${crashes} starts that came to nothing` : '';
  if (hostPid !== undefined && hostPid !== pid)
    return { healthy: false, state: `a host runs outside of it (pid ${hostPid}): \`ncl restart\`` };
  if (hostPid !== undefined) return { healthy: true, state: `the host runs (pid ${hostPid})` };
  if (!running && abruptly)
    return { healthy: false, state: 'it ended without being asked to, or was killed: `ncl start`' };
  if (!running) return { healthy: false, state: 'stopped: `ncl start`' };
  if (pauseLeft > 0) return { healthy: false, state: `the next start is in ${pauseLeft} s${again}: \`ncl logs\`` };
  return { healthy: false, state: `the host does not answer yet${again}` };
}

/** Exit status 0 when it is installed and healthy, else 1. */
export async function status(context: ClientContext): Promise<number> {
  const { root, home, screen, json } = context;
  const plan = planFor(root, home);
  const service = findManager(plan);
  if (!service) {
    refuseForeign(plan);
    screen.out(json ? JSON.stringify({ installed: false }) : 'No service is installed: `ncl service install`.');
    return 1;
  }
  const [health, survived] = await Promise.all([look(context), service.survives()]);
  const edited = whose(service, plan) === 'edited';
  const { name, label: kind, file } = { ...plan, ...service };
  if (json) screen.out(JSON.stringify({ installed: true, name, kind, file, edited, ...health, ...survived }));
  else {
    const shown = ({ holds, how }: Survival) => `${holds ? 'yes' : 'no'}: ${how}`;
    const rows: [string, string][] = [
      ['service', `${name}, ${kind}`],
      ['file', edited ? `${file}, edited by hand` : file],
      ['state', health.state],
      ['survives a logout', shown(survived.logout)],
      ['survives a reboot', shown(survived.reboot)],
    ];
    screen.out(pairs(rows, screen));
  }
  return health.healthy ? 0 : 1;
}

/** For `ncl doctor`. */
export async function serviceCheck(context: ClientContext): Promise<Check> {
  const check = { name: 'service', blocking: false, remedy: '`ncl service status` says more.' };
  try {
    const service = findManager(planFor(context.root, context.home));
    if (!service)
      return {
        ...check,
        ok: false,
        detail: 'None is installed.',
        remedy: '`ncl service install` restarts a host that crashed.',
      };
    const { healthy, state } = await look(context);
    const isEdited = whose(service, planFor(context.root, context.home)) === 'edited';
    const note = isEdited ? ` Its file was edited by hand: ${service.file}.` : '';
    return { ...check, ok: healthy && !isEdited, detail: `${service.label}: ${state}.${note}` };
  } catch (error) {
    return { ...check, ok: false, detail: errorText(error) };
  }
}

/** What is wrong with the service of a host that runs; undefined when it is well, or there is none. */
export async function unattended(context: ClientContext): Promise<string | undefined> {
  if (!findManager(planFor(context.root, context.home))) return undefined;
  const { healthy, state } = await look(context);
  return healthy ? undefined : state;
}

async function look(context: ClientContext): Promise<Health> {
  const service = findManager(planFor(context.root, context.home));
  const [seen, host] = await Promise.all([service?.look(), findHost(context).catch(() => undefined)]);
  const abruptly = !host && endedAbruptly(context.home);
  return judge({ running: false, ...seen, hostPid: host?.pid, abruptly, ...readStarts(context.home) });
}
