/**
 * The first program inside: it says what is mounted, and waits for the host's word before anything of the agent's runs. The
 * engine follows links when it mounts, and whoever may write above a source could have put one there meanwhile. A host that is
 * killed before it gives the word closes the gate for good. Pure.
 */
import path from 'node:path';
import { OPEN_FILES } from '../spec.ts';

export const READY = 'ready';
export const GO = 'go\n';
/** Its last word: from here on it is the command that speaks. */
export const GONE = 'gone';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** For these the shell of the gate has values of its own. */
const SHELLS = /^(go|BASH\w*|E?UID|GROUPS|IFS|LINENO|OLDPWD|OPTIND|PPID|PS[124]|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|_)$/;

/** For `env`. By name where a shell knows it: a command line can be read by every user of the machine for as long as it runs. */
const setting = ([name, value]: [string, string]): string =>
  NAME.test(name) && !SHELLS.test(name) ? `${name}="$${name}"` : quoted(`${name}=${value}`);

export function gateCommand(
  command: readonly string[],
  targets: readonly string[],
  /** All that the command gets; whoever runs this has it in its own. */
  env: Readonly<Record<string, string>>,
  fileSizeBytes: number,
  /** How many may run in its user namespace, where no group of the engine's counts them. */
  processes: number | null = null,
): string[] {
  const look = targets.length === 0 ? 'true' : `/usr/bin/stat -c %d:%i -- ${targets.map(quoted).join(' ')}`;
  // What engines, images and shells put into an environment is left out: it is to hold what was asked for alone.
  const only = ['/usr/bin/env -i', ...Object.entries(env).map(setting)].join(' ');
  // A rootless Podman leaves out those that it was asked for; and what is lower already can't be raised.
  const set = ['ulimit -c 0', `ulimit -f ${Math.ceil(fileSizeBytes / 512)}`, `ulimit -n ${OPEN_FILES}`];
  // By the letter of dash, or that of bash.
  if (processes !== null) set.push(`ulimit -p ${processes} || ulimit -u ${processes}`);
  const limits = `{ ${set.join('; ')}; true; } 2>/dev/null && `;
  const script = `${look} && echo ${READY} && read -r go && echo ${GONE} && ${limits}exec ${only} "$@" </dev/null`;
  return ['/bin/sh', '-c', script, 'sh', ...command];
}

/** Which mounts are not what was meant; the order is that of the targets. Null: all are. */
export function refuseSeen(said: string, expected: ReadonlyMap<string, Expected>): string | null {
  const seen = said.split('\n');
  for (const [index, [, { source, identity }]] of [...expected].entries()) {
    if (seen[index] !== identity) return `${source} was replaced while it was being mounted (${seen[index]})`;
  }
  return null;
}

export interface Expected {
  /** As a person knows it. */
  source: string;
  /** `<device>:<inode>`. */
  identity: string;
}

export const below = (source: string, part: string): string => (part === '' ? source : path.join(source, part));
