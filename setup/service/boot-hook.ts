import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../src/errors.ts';
import { call, demand, failure, hasCommand } from './call.ts';
import { crontabText, shellWord } from './escape.ts';
import type { Survival } from './manager.ts';

/** What starts our own supervisor with the machine: cron, or the scripts of a System V init. */
export interface BootHook {
  /** Returns what a person should know. */
  add(): Promise<string[]>;
  /** The same. */
  remove(): Promise<string[]>;
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
    remove: async () => [],
    survives: async () => ({ holds: false, how }),
  };
}

/** Throws NC_SERVICE when it can't be read: what isn't known must not be written over. */
async function readCrontab(): Promise<string> {
  const called = await call('crontab', ['-l']);
  if (called.status === 0) return called.stdout;
  // A user who has none is told so, by a status of its own on each system.
  if (called.status !== null && /no crontab/i.test(called.stderr)) return '';
  throw failure('crontab', ['-l'], called);
}

export function cronHook(name: string, script: string): BootHook {
  const write = (text: string) => demand('crontab', ['-'], text);
  return {
    async add() {
      const before = await readCrontab();
      const after = addToCrontab(before, name, script);
      if (after !== before) await write(after);
      return [];
    },
    async remove() {
      try {
        const before = await readCrontab();
        const after = dropFromCrontab(before, name);
        if (after !== before) await write(after);
        return [];
      } catch (error) {
        // The rest can still go: a line that names no file any more starts nothing.
        return [`Your crontab stays as it is, perhaps with a line that ends in "# ${name}". ${errorText(error)}`];
      }
    },
    async survives() {
      try {
        const holds = (await readCrontab()).split('\n').some((line) => isOurs(line, name));
        return {
          holds,
          how: holds ? 'cron starts it, where cron runs' : '`ncl service install` adds it to your crontab',
        };
      } catch (error) {
        return { holds: false, how: errorText(error) };
      }
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
      return [];
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
