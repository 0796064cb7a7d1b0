import { join } from 'node:path';
import { systemdArgument, systemdText, systemdWord } from './escape.ts';
import { PLACEHOLDER, seal } from './marker.ts';
import type { Plan } from './plan.ts';

/** `system` is for root, started with the machine; `user` belongs to a user's own manager. */
export type Scope = 'system' | 'user';

/** The whole unit file. Understood by systemd 240 and later. */
export function systemdUnit({ name, owner, root, home, host, environment }: Plan, scope: Scope): string {
  const command = ['/bin/sh', join(root, 'setup', 'service', 'launch.sh'), home, ...host];
  const edit = scope === 'system' ? 'systemctl edit' : 'systemctl --user edit';
  const lines = [
    `# ${PLACEHOLDER}`,
    '# Made by `ncl service install`. Changes of your own are best kept in a drop-in, which an update leaves alone:',
    `# ${edit} ${name}`,
    '[Unit]',
    // A backslash at its end would go on with the next line.
    `Description=NanoClaw at ${systemdText(home.replace(/\\$/, '\\/'))}`,
    ...(scope === 'system'
      ? ['Wants=network-online.target', 'After=network-online.target', `RequiresMountsFor=${systemdWord(home)}`]
      : []),
    '# Never gives up: launch.sh makes the pauses of a crash loop longer.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    ...workingFolder(home),
    ...Object.entries({ ...environment, NANOCLAW_SERVICE: label(scope) }).map(
      ([variable, value]) => `Environment=${systemdWord(`${variable}=${value}`)}`,
    ),
    `ExecStart=${command.map(systemdArgument).join(' ')}`,
    '# A host that was told to stop ends with 0, and stays stopped.',
    'Restart=on-failure',
    'RestartSec=1',
    '# The host ends its sandboxes itself, in order; what is left after that is killed with it.',
    'KillMode=mixed',
    'TimeoutStopSec=45',
    '# Sandboxes get groups of their own below this one. One that runs out of memory is no failure of the service.',
    'Delegate=yes',
    'OOMPolicy=continue',
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
    '',
  ];
  return seal(lines.join('\n'), owner);
}

export function label(scope: Scope): string {
  return `systemd ${scope} unit`;
}

/** A value without quotes, so that these can't be written; launch.sh does without it. */
function workingFolder(home: string): string[] {
  return /[\s\\]$/.test(home) ? [] : [`WorkingDirectory=${systemdText(home)}`];
}
