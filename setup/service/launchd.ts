import { homedir } from 'node:os';
import { join } from 'node:path';
import { call, demand } from './call.ts';
import { LAUNCHD, launchdPlist } from './launchd-plist.ts';
import type { Manager } from './manager.ts';
import type { Plan } from './plan.ts';

/** For macOS: an agent of the user's, a daemon when root. */
export function createLaunchd(plan: Plan): Manager {
  const uid = process.getuid?.() ?? 0;
  const domain = uid === 0 ? 'system' : `gui/${uid}`;
  const target = `${domain}/${plan.name}`;
  const file = join(
    uid === 0 ? '/Library/LaunchDaemons' : join(homedir(), 'Library/LaunchAgents'),
    `${plan.name}.plist`,
  );
  const isLoaded = async () => (await call('launchctl', ['print', target])).status === 0;
  const remove = async () => {
    if (await isLoaded()) await demand('launchctl', ['bootout', target]);
  };
  return {
    label: LAUNCHD,
    file,
    mode: 0o644,
    text: launchdPlist(plan),
    async enable() {
      // Read anew by the next start.
      await remove();
      await demand('launchctl', ['enable', target]);
      return [];
    },
    disable: async () => [],
    forget: async () => undefined,
    async start() {
      if (!(await isLoaded())) await demand('launchctl', ['bootstrap', domain, file]);
      await demand('launchctl', ['kickstart', target]);
    },
    // Unloaded, or it would go on with a host that has crashed; a login or a boot loads it again.
    stop: remove,
    async look() {
      const { stdout, status } = await call('launchctl', ['print', target]);
      const pid = Number(/^\s*pid = (\d+)$/m.exec(stdout)?.[1] ?? 0);
      return { running: status === 0 && (pid > 0 || !/last exit code = 0/.test(stdout)), ...(pid > 0 && { pid }) };
    },
    survives: async () =>
      uid === 0
        ? { logout: { holds: true, how: 'a daemon' }, reboot: { holds: true, how: 'launchd starts it' } }
        : {
            logout: { holds: false, how: 'an agent ends with your login, and starts at the next' },
            reboot: { holds: false, how: 'it starts when you log in' },
          },
  };
}
