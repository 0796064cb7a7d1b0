import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { call, demand } from './call.ts';
import { crontabText, shellWord } from './escape.ts';
import type { Survival } from './manager.ts';

/** What starts our own supervisor with the machine: cron, or the scripts of a System V init. */
export interface BootHook {
  /** Returns what a person should know. */
  add(): Promise<string[]>;
  remove(): Promise<void>;
  survives(): Promise<Survival>;
}

/** `script` starts the supervisor and stays in the foreground. */
export function chooseBootHook(name: string, script: string): BootHook {
  if (hasCommand('crontab')) return cronHook(name, script);
  if (process.getuid?.() === 0 && existsSync('/etc/inittab') && hasCommand('update-rc.d'))
    return initHook(name, script);
  const how = `nothing here starts it: have what starts this machine run ${shellWord(script)}`;
  return {
    add: async () => [`It does not survive a restart of this machine: ${how}.`],
    remove: async () => undefined,
    survives: async () => ({ holds: false, how }),
  };
}

function cronHook(name: string, script: string): BootHook {
  // A user without a crontab is told so by a status, and has none.
  const read = async () => (await call('crontab', ['-l'])).stdout;
  const write = (text: string) => demand('crontab', ['-'], text);
  return {
    async add() {
      const before = await read();
      const after = addToCrontab(before, name, script);
      if (after !== before) await write(after);
      return [];
    },
    async remove() {
      const before = await read();
      const after = dropFromCrontab(before, name);
      if (after !== before) await write(after);
    },
    async survives() {
      const holds = (await read()).split('\n').some((line) => isOurs(line, name));
      return {
        holds,
        how: holds ? 'cron starts it, where cron runs' : '`ncl service install` adds it to your crontab',
      };
    },
  };
}

export function addToCrontab(text: string, name: string, script: string): string {
  const rest = dropFromCrontab(text, name);
  const begin = rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`;
  return `${begin}@reboot ${crontabText(`/bin/sh ${shellWord(script)}`)} # ${name}\n`;
}

export function dropFromCrontab(text: string, name: string): string {
  return text
    .split('\n')
    .filter((line) => !isOurs(line, name))
    .join('\n');
}

function isOurs(line: string, name: string): boolean {
  return line.startsWith('@reboot ') && line.endsWith(` # ${name}`);
}

function initHook(name: string, script: string): BootHook {
  const file = join('/etc/init.d', name);
  return {
    async add() {
      writeFileSync(file, initScript(name, script), { mode: 0o755 });
      await demand('update-rc.d', [name, 'defaults']);
      return [];
    },
    async remove() {
      rmSync(file, { force: true });
      await demand('update-rc.d', [name, 'remove']);
    },
    survives: async () =>
      existsSync(file)
        ? { holds: true, how: `init starts it by ${file}` }
        : { holds: false, how: `\`ncl service install\` makes ${file}` },
  };
}

export function initScript(name: string, script: string): string {
  return `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${name}
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: NanoClaw
### END INIT INFO
script=${shellWord(script)}
case "\${1:-}" in
  start) [ ! -e "$script" ] || setsid /bin/sh "$script" </dev/null >/dev/null 2>&1 & ;;
  stop)
    read -r pid _ 2>/dev/null <"$(dirname "$script")/supervisor.pid" || exit 0
    kill -TERM "$pid" 2>/dev/null || exit 0
    left=45
    while [ "$left" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
      sleep 1
      left=$((left - 1))
    done
    ;;
  restart | force-reload)
    "$0" stop
    "$0" start
    ;;
  *) exit 3 ;;
esac
`;
}

function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
