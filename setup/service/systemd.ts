import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { call, demand } from './call.ts';
import type { Manager, Survival } from './manager.ts';
import type { Plan } from './plan.ts';
import { label, type Scope, systemdUnit } from './systemd-unit.ts';

export function createSystemd(plan: Plan, scope: Scope): Manager {
  const unit = `${plan.name}.service`;
  const systemctl = (...args: string[]) => [...(scope === 'user' ? ['--user'] : []), ...args];
  const file = join(unitFolder(scope), unit);
  return {
    label: label(scope),
    file,
    mode: 0o644,
    text: systemdUnit(plan, scope),
    async enable() {
      await demand('systemctl', systemctl('daemon-reload'));
      await demand('systemctl', systemctl('enable', unit));
      return scope === 'user' ? linger() : [];
    },
    async disable() {
      await demand('systemctl', systemctl('disable', unit));
      const kept = existsSync(`${file}.d`) ? [`Your own changes in ${file}.d are left.`] : [];
      const { name, lingers } = await readLinger();
      const note = `Your services go on after a logout; \`loginctl disable-linger ${name}\` ends that, when no other needs it.`;
      return [...kept, ...(scope === 'user' && lingers ? [note] : [])];
    },
    async forget() {
      await demand('systemctl', systemctl('daemon-reload'));
      // A unit that never failed is none to be forgotten, and that is no failure.
      await call('systemctl', systemctl('reset-failed', unit));
    },
    start: async () => void (await demand('systemctl', systemctl('start', unit))),
    stop: async () => void (await demand('systemctl', systemctl('stop', unit))),
    async look() {
      const shown = await demand('systemctl', systemctl('show', unit, '--property=ActiveState,MainPID'));
      const pid = Number(/^MainPID=(\d+)$/m.exec(shown)?.[1] ?? 0);
      const running = /^ActiveState=(active|activating|reloading|deactivating)$/m.test(shown);
      return { running, ...(pid > 0 && { pid }) };
    },
    survives: () => survives(scope, systemctl('is-enabled', unit)),
  };
}

export function unitFolder(scope: Scope): string {
  if (scope === 'system') return '/etc/systemd/system';
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd', 'user');
}

/** Whether a manager of that scope is there to be asked. */
export async function hasSystemd(scope: Scope): Promise<boolean> {
  if (scope === 'system' && !existsSync('/run/systemd/system')) return false;
  const { status } = await call('systemctl', [...(scope === 'user' ? ['--user'] : []), 'show', '--property=Version']);
  return status === 0;
}

async function survives(scope: Scope, isEnabled: string[]): Promise<{ logout: Survival; reboot: Survival }> {
  const enabled = (await call('systemctl', isEnabled)).status === 0;
  const off = { holds: false, how: 'the unit is disabled; `ncl service install` enables it' };
  if (scope === 'system')
    return {
      logout: { holds: true, how: 'it belongs to no login' },
      reboot: enabled ? { holds: true, how: 'systemd starts it' } : off,
    };
  const { name, lingers } = await readLinger();
  if (lingers)
    return {
      logout: { holds: true, how: `lingering is on for ${name}` },
      reboot: enabled ? { holds: true, how: "systemd starts the user's manager at boot, and that starts it" } : off,
    };
  const how = `it ends with your last login, and starts at the next; run \`sudo loginctl enable-linger ${name}\``;
  return { logout: { holds: false, how }, reboot: { holds: false, how } };
}

async function linger(): Promise<string[]> {
  const { name, lingers } = await readLinger();
  if (lingers) return [];
  const { status, stderr } = await call('loginctl', ['enable-linger', '--no-ask-password']);
  if (status === 0) return [`Lingering is on for ${name} now: its services go on after a logout.`];
  const why = stderr.trim().split('\n')[0] || 'there is no loginctl';
  return [`Lingering could not be turned on (${why}): run \`sudo loginctl enable-linger ${name}\`.`];
}

async function readLinger(): Promise<{ name: string; lingers: boolean }> {
  const name = userInfo().username;
  const { stdout } = await call('loginctl', ['show-user', name, '--property=Linger']);
  // It knows only users who are here; of the others, the mark is on disk.
  return { name, lingers: stdout.trim() === 'Linger=yes' || existsSync(`/var/lib/systemd/linger/${name}`) };
}
